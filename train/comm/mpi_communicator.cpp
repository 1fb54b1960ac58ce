#include "train/comm/mpi_communicator.h"

#include <mpi.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <string_view>

#include "autograd/core/error.h"
#include "train/comm/failure_watch.h"
#include "train/comm/rank_record.h"

namespace bertha {
namespace {

constexpr int kTag = 0;
// MPI counts are int; pieces of this many elements run at full speed, too.
constexpr size_t kPiece = size_t{1} << 24;
constexpr int64_t kMessage = int64_t{1} << 18;  // elements; what was received is still in a cache when it is used

template <class T, class Call>
void in_pieces(std::span<T> values, Call&& call) {
  for (size_t begin = 0; begin < values.size(); begin += kPiece) {
    const size_t count = std::min(kPiece, values.size() - begin);
    call(values.data() + begin, static_cast<int>(count));
  }
}

template <class T>
int sum_in_place(T* values, int count, MPI_Datatype type) {
  return MPI_Allreduce(MPI_IN_PLACE, values, count, type, MPI_SUM, MPI_COMM_WORLD);
}

}  // namespace

MpiCommunicator::MpiCommunicator() {
  int provided = MPI_THREAD_SINGLE;
  require(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  check<Error>(provided >= MPI_THREAD_SERIALIZED, "MPI: thread level ", provided, " (at least MPI_THREAD_SERIALIZED, ",
               MPI_THREAD_SERIALIZED, ", is needed)");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  watch_ranks(*this);
}

MpiCommunicator::~MpiCommunicator() {
  // On the way out of a failure the other ranks are elsewhere: MPI_Finalize would wait for them, end_with_failure ends
  // them.
  if (std::uncaught_exceptions() > 0) return;
  {
    const ExchangeMark mark;  // rank 0 may still have much to write, and is watched until it is done
    MPI_Barrier(MPI_COMM_WORLD);
  }
  stop_watching();
  MPI_Finalize();
}

void MpiCommunicator::require(int code, const char* call) const {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(call, " failed: ", std::string_view(text, length));
}

void MpiCommunicator::all_reduce_sum(std::span<double> values) {
  const ExchangeMark mark;
  in_pieces(values,
            [&](double* piece, int count) { require(sum_in_place(piece, count, MPI_DOUBLE), "MPI_Allreduce"); });
}

void MpiCommunicator::all_reduce_sum(std::span<int64_t> values) {
  const ExchangeMark mark;
  in_pieces(values,
            [&](int64_t* piece, int count) { require(sum_in_place(piece, count, MPI_INT64_T), "MPI_Allreduce"); });
}

// Rounds of at most kMessage elements between any two ranks; in each, everyone sends to one rank and receives from
// another at a time.
void MpiCommunicator::exchange_shares(std::span<float> values, std::span<const int64_t> bounds, const Use& use) {
  int64_t rounds = 0;
  for (int rank = 0; rank < size_; ++rank) {
    rounds = std::max(rounds, (bounds[rank + 1] - bounds[rank] + kMessage - 1) / kMessage);
  }
  std::vector<std::span<float>> by_rank(static_cast<size_t>(size_));
  for (int64_t round = 0; round < rounds; ++round) {
    const auto part_of = [&](int rank) {
      const int64_t begin = std::min(bounds[rank] + round * kMessage, bounds[rank + 1]);
      return values.subspan(begin, std::min(kMessage, bounds[rank + 1] - begin));
    };
    const std::span<float> own = by_rank[rank_] = part_of(rank_);
    received_.resize(std::max(received_.size(), own.size() * (size_ - 1)));
    for (int distance = 1; distance < size_; ++distance) {
      const int receiver = (rank_ + distance) % size_;
      const int sender = (rank_ + size_ - distance) % size_;
      by_rank[sender] = std::span(received_).subspan(own.size() * (distance - 1), own.size());
      send_receive(part_of(receiver), receiver, by_rank[sender], sender);
    }
    if (!own.empty()) use(own.data() - values.data(), by_rank);
  }
}

void MpiCommunicator::send_receive(std::span<const float> sent, int receiver, std::span<float> received,
                                   int sender) const {
  const ExchangeMark mark;
  require(MPI_Sendrecv(sent.data(), static_cast<int>(sent.size()), MPI_FLOAT, receiver, kTag, received.data(),
                       static_cast<int>(received.size()), MPI_FLOAT, sender, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
          "MPI_Sendrecv");
}

void MpiCommunicator::all_gather_shares(std::span<float> values, std::span<const int64_t> bounds) {
  const ExchangeMark mark;
  check(bounds.back() - bounds.front() <= std::numeric_limits<int>::max(), "MPI: ", bounds.back() - bounds.front(),
        " elements gathered at once (MPI counts with int)");
  std::vector<int> counts, places;
  for (int rank = 0; rank < size_; ++rank) {
    counts.push_back(static_cast<int>(bounds[rank + 1] - bounds[rank]));
    places.push_back(static_cast<int>(bounds[rank] - bounds.front()));
  }
  require(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_FLOAT, values.data() + bounds.front(), counts.data(), places.data(),
                         MPI_FLOAT, MPI_COMM_WORLD),
          "MPI_Allgatherv");
}

void MpiCommunicator::broadcast(std::span<std::byte> data, int root) {
  const ExchangeMark mark;
  in_pieces(data, [&](std::byte* piece, int count) {
    require(MPI_Bcast(piece, count, MPI_BYTE, root, MPI_COMM_WORLD), "MPI_Bcast");
  });
}

void MpiCommunicator::send(std::span<const float> values, int receiver) {
  const ExchangeMark mark;
  in_pieces(values, [&](const float* piece, int count) {
    require(MPI_Send(piece, count, MPI_FLOAT, receiver, kTag, MPI_COMM_WORLD), "MPI_Send");
  });
}

void MpiCommunicator::receive(std::span<float> values, int sender) {
  const ExchangeMark mark;
  in_pieces(values, [&](float* piece, int count) {
    require(MPI_Recv(piece, count, MPI_FLOAT, sender, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE), "MPI_Recv");
  });
}

void MpiCommunicator::barrier() {
  const ExchangeMark mark;
  require(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
}

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string_view version(text, length);
  return std::string(version.substr(0, version.find(',')));
}

void abort_all_ranks(int exit_code) {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized && !finalized) MPI_Abort(MPI_COMM_WORLD, exit_code);
}

}  // namespace bertha
