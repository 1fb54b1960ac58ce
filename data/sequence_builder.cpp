#include "data/sequence_builder.h"

#include <algorithm>

#include "autograd/core/error.h"

namespace bertha {
namespace {

constexpr double kShortSequenceProbability = 0.1;
constexpr int64_t kPairSpecialTokens = 3;  // [CLS], [SEP], [SEP]
constexpr size_t kMaxSliceBytes = size_t{1} << 16;

void append(std::span<const int32_t> from, std::vector<int32_t>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

class FullSentencePacker {
 public:
  FullSentencePacker(SpecialIds special, int64_t sequence_length, const SequenceSink& sink)
      : special_(special), length_(sequence_length), sink_(sink) {
    open();
  }

  void end_document() { separate_ = !is_empty(); }

  void add_line(std::span<const int32_t> line) {
    if (std::ssize(line) + separate_ > room() && std::ssize(line) <= length_ - 2) close();
    if (separate_ && room() < 2) close();
    if (separate_) {
      sequence_.ids.push_back(special_.sep);
      separate_ = false;
    }
    while (!line.empty()) {
      if (room() == 0) close();
      const auto taken = std::min<size_t>(line.size(), room());
      append(line.first(taken), sequence_.ids);
      line = line.subspan(taken);
    }
  }

  void finish() {
    if (!is_empty()) close();
  }

 private:
  void open() { sequence_.ids = {special_.cls}; }
  bool is_empty() const { return sequence_.ids.size() == 1; }
  int64_t room() const { return length_ - 1 - std::ssize(sequence_.ids); }

  void close() {
    sequence_.ids.push_back(special_.sep);
    sequence_.second_begin = static_cast<int32_t>(sequence_.ids.size());
    sink_(sequence_);
    separate_ = false;
    open();
  }

  SpecialIds special_;
  int64_t length_;
  const SequenceSink& sink_;
  Sequence sequence_;      // open: without the last [SEP]
  bool separate_ = false;  // the next line belongs to another document than the last one
};

/// A block's documents cut into the sentences that segments are made of.
struct Sentences {
  struct Document {
    int32_t begin, end;  // sentences
  };
  std::span<const int32_t> ids;
  std::vector<int32_t> ends{0};  // sentence i is ids [i], [i + 1)
  std::vector<Document> documents;

  std::span<const int32_t> range(int64_t begin, int64_t end) const {
    return ids.subspan(ends[begin], ends[end] - ends[begin]);
  }
  int64_t tokens(int64_t begin, int64_t end) const { return ends[end] - ends[begin]; }
  int32_t size() const { return static_cast<int32_t>(ends.size()) - 1; }
};

/// Sentences of at most `limit` tokens; a document of more than one token has more than one sentence.
Sentences cut_sentences(const TokenizedText& text, int64_t limit) {
  Sentences sentences{text.ids, {0}, {}};
  for (size_t document = 0; document + 1 < text.document_ends.size(); ++document) {
    const int32_t first_line = text.document_ends[document];
    const int32_t end_line = text.document_ends[document + 1];
    const int32_t begin = sentences.size();
    for (int32_t line = first_line; line < end_line; ++line) {
      const int64_t length = std::ssize(text.line(line));
      const int64_t least = end_line - first_line == 1 ? std::min<int64_t>(2, length) : 1;
      const int64_t pieces = std::max(least, (length + limit - 1) / limit);
      for (int64_t piece = 1; piece <= pieces; ++piece) {
        sentences.ends.push_back(static_cast<int32_t>(text.line_ends[line] + length * piece / pieces));
      }
    }
    sentences.documents.push_back({begin, sentences.size()});
  }
  return sentences;
}

class SegmentPairer {
 public:
  SegmentPairer(const Sentences& sentences, SpecialIds special, int64_t room, RandomStream stream,
                const SequenceSink& sink)
      : sentences_(sentences), special_(special), room_(room), stream_(stream), sink_(sink) {}

  void pair_document(size_t document) {
    const int64_t end = sentences_.documents[document].end;
    for (int64_t begin = sentences_.documents[document].begin; begin < end;) {
      const int64_t target = draw_target();
      const int64_t chunk_end = take_sentences(begin, end, target);
      if (chunk_end - begin == 1) {
        pair_alone(document, begin, target);
        return;
      }
      const int64_t middle = begin + 1 + stream_.below(static_cast<uint32_t>(chunk_end - begin - 1));
      const std::span<const int32_t> first = sentences_.range(begin, middle);
      if (draw_next()) {
        add(first, sentences_.range(middle, chunk_end), 0);
        begin = chunk_end;
      } else {
        add(first, other_segment(document, target - std::ssize(first), room_ - std::ssize(first)), 1);
        begin = middle;  // the sentences that the other document displaced are used again
      }
    }
  }

 private:
  int64_t draw_target() {
    if (stream_.uniform() >= kShortSequenceProbability) return room_;
    return 2 + stream_.below(static_cast<uint32_t>(room_ - 1));
  }

  /// Two sentences where there are two, for they always fit, and more while they are within the target.
  int64_t take_sentences(int64_t begin, int64_t document_end, int64_t target) const {
    int64_t end = std::min(begin + 2, document_end);
    while (end < document_end && sentences_.tokens(begin, end + 1) <= target) ++end;
    return end;
  }

  bool has_other_documents() const { return sentences_.documents.size() > 1; }

  bool draw_next() {
    if (!has_other_documents()) return true;
    if (forced_ == 0) return stream_.below(2) == 0;
    --forced_;
    return true;
  }

  /// The last sentence of a document, with no other one to follow it.
  void pair_alone(size_t document, int64_t sentence, int64_t target) {
    const std::span<const int32_t> ids = sentences_.range(sentence, sentence + 1);
    if (has_other_documents()) {
      ++forced_;
      add(ids, other_segment(document, target - std::ssize(ids), room_ - std::ssize(ids)), 1);
    } else if (ids.size() >= 2) {
      add(ids.first(ids.size() / 2), ids.subspan(ids.size() / 2), 0);
    }
  }

  /// Sentences from a random place of another document until they reach the target, cut to the room.
  std::span<const int32_t> other_segment(size_t document, int64_t target, int64_t room) {
    size_t other = stream_.below(static_cast<uint32_t>(sentences_.documents.size() - 1));
    if (other >= document) ++other;
    const auto [first, last] = sentences_.documents[other];
    const int64_t begin = first + stream_.below(static_cast<uint32_t>(last - first));
    int64_t end = begin + 1;
    while (end < last && sentences_.tokens(begin, end) < target) ++end;
    const std::span<const int32_t> ids = sentences_.range(begin, end);
    return ids.first(std::min<size_t>(ids.size(), room));
  }

  void add(std::span<const int32_t> first, std::span<const int32_t> second, int32_t label) {
    std::vector<int32_t>& ids = sequence_.ids;
    ids = {special_.cls};
    append(first, ids);
    ids.push_back(special_.sep);
    append(second, ids);
    ids.push_back(special_.sep);
    sequence_.second_begin = static_cast<int32_t>(first.size()) + 2;
    sequence_.next_sentence_label = label;
    sink_(sequence_);
  }

  const Sentences& sentences_;
  SpecialIds special_;
  int64_t room_;
  RandomStream stream_;
  const SequenceSink& sink_;
  int64_t forced_ = 0;  // pairs that had to be random and are not yet made up for
  Sequence sequence_;
};

/// The front of a line: all of it, or what ends before the last blank or else the last character within kMaxSliceBytes.
std::string_view front_slice(std::string_view line) {
  if (line.size() <= kMaxSliceBytes) return line;
  const size_t blank = line.find_last_of(' ', kMaxSliceBytes - 1);
  if (blank != line.npos && blank > 0) return line.substr(0, blank);
  size_t end = kMaxSliceBytes;
  while ((static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;  // inside a character
  return line.substr(0, end);
}

/// In slices, for the tokenizer keeps a multiple of the text it is given.
void append_line(std::string_view line, const Tokenizer& tokenizer, std::vector<int32_t>& ids) {
  while (!line.empty()) {
    const std::string_view slice = front_slice(line);
    tokenizer.append_ids(slice, ids);
    line.remove_prefix(slice.size());
  }
}

}  // namespace

void tokenize_block(const CorpusBlock& block, const Tokenizer& tokenizer, TokenizedText& text) {
  text.ids.clear();
  text.line_ends.assign(1, 0);
  text.document_ends.assign(1, 0);
  text.documents = 0;
  text.ids.reserve(block.text.size());  // untouched memory costs nothing, and growing would double what is used
  const auto end_document = [&] {
    const auto lines = static_cast<int32_t>(text.line_ends.size()) - 1;
    if (lines > text.document_ends.back()) text.document_ends.push_back(lines);
  };
  for_each_line(block, [&](const TextLine& line) {
    if (line.starts_document) {
      end_document();
      ++text.documents;
    }
    append_line(line.text, tokenizer, text.ids);
    const auto end = static_cast<int32_t>(text.ids.size());
    if (end > text.line_ends.back()) text.line_ends.push_back(end);
  });
  end_document();
}

int64_t min_sequence_length(Objective objective) {
  return objective == Objective::kMlm ? 3 : kPairSpecialTokens + 2;
}

void pack_full_sentences(const TokenizedText& text, SpecialIds special, int64_t sequence_length,
                         const SequenceSink& sink) {
  FullSentencePacker packer(special, sequence_length, sink);
  for (size_t document = 0; document + 1 < text.document_ends.size(); ++document) {
    for (int32_t line = text.document_ends[document]; line < text.document_ends[document + 1]; ++line) {
      packer.add_line(text.line(line));
    }
    packer.end_document();
  }
  packer.finish();
}

void pair_segments(const TokenizedText& text, SpecialIds special, int64_t sequence_length, RandomStream stream,
                   const SequenceSink& sink) {
  const int64_t room = sequence_length - kPairSpecialTokens;
  const Sentences sentences = cut_sentences(text, room / 2);
  SegmentPairer pairer(sentences, special, room, stream, sink);
  for (size_t document = 0; document < sentences.documents.size(); ++document) pairer.pair_document(document);
}

}  // namespace bertha
