#include "train/inspect/tensor_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>

#include "autograd/core/dtype.h"
#include "autograd/core/error.h"
#include "autograd/core/parallel.h"
#include "autograd/core/random.h"
#include "tests/python.h"
#include "tests/temporary_directory.h"
#include "tests/train/inspect/raw_safetensors.h"

namespace bertha {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Bell-shaped, with zeros, repeated elements and a few far out.
std::vector<double> bell(size_t count) {
  RandomStream stream(7, "statistics");
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) {
    for (int term = 0; term < 6; ++term) values[i] += stream.uniform() - 0.5;
    if (i % 50 == 0) values[i] = 0;
    if (i % 70 == 3) values[i] = -0.25;
    if (i % 1000 == 1) values[i] *= 9;
  }
  return values;
}

template <class T>
std::vector<T> as(const std::vector<double>& values, double scale = 1) {
  std::vector<T> elements;
  for (const double value : values) elements.push_back(static_cast<T>(scale * value));
  return elements;
}

std::vector<bfloat16> as_bf16(const std::vector<double>& values) {
  std::vector<bfloat16> elements;
  for (const double value : values) elements.emplace_back(static_cast<float>(value));
  return elements;
}

/// Of normal size or zero.
std::vector<uint16_t> as_f16(const std::vector<double>& values) {
  std::vector<uint16_t> elements;
  for (const double value : values) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(std::abs(value) < 1e-4 ? 0 : value));
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    elements.push_back(
        static_cast<uint16_t>((bits >> 16 & 0x8000) | (magnitude ? (magnitude >> 13) - (112u << 10) : 0)));
  }
  return elements;
}

class StatisticsTest : public testing::Test {
 protected:
  TensorStatistics of(const RawTensor& tensor) const {
    write_raw(folder_ / "file", {tensor});
    const FileTensors file(folder_ / "file");
    return statistics_of(file.weights().front()).value();
  }

  std::vector<double> elements() const {
    const FileTensors file(folder_ / "file");
    const FileTensor& tensor = file.weights().front();
    std::vector<double> values(static_cast<size_t>(tensor.tensor.numel()));
    read_numbers(*tensor.file, tensor.tensor, 0, std::span(values));
    return values;
  }

  /// From all elements, sorted.
  TensorStatistics reference() const {
    std::vector<double> values = elements();
    TensorStatistics s{.elements = std::ssize(values)};
    s.zeros = std::ranges::count(values, 0.0);
    s.nans = std::ranges::count_if(values, [](double x) { return std::isnan(x); });
    s.infinities = std::ranges::count_if(values, [](double x) { return std::isinf(x); });
    std::erase_if(values, [](double x) { return !std::isfinite(x); });
    std::ranges::sort(values);
    s.minimum = values.front();
    s.maximum = values.back();
    const auto count = static_cast<double>(values.size());
    s.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0, distances = 0;
    for (const double value : values) {
      squares += value * value;
      distances += (value - s.mean) * (value - s.mean);
      const double place = (value - s.minimum) / (s.maximum - s.minimum) * kHistogramBins;
      ++s.histogram[s.maximum > s.minimum ? std::min(static_cast<size_t>(place), kHistogramBins - 1) : 0];
    }
    s.norm = std::sqrt(squares);
    s.standard_deviation = std::sqrt(distances / count);
    for (size_t i = 0; i < kQuantiles.size(); ++i) {
      const double place = kQuantiles[i] * (count - 1);
      const auto below = static_cast<size_t>(place);
      const double above = values[std::min(below + 1, values.size() - 1)];
      s.quantiles[i] = values[below] + (above - values[below]) * (place - std::floor(place));
    }
    return s;
  }

  static void expect_close(double found, double expected, const std::string& what) {
    EXPECT_NEAR(found, expected, 1e-11 * std::abs(expected) + 1e-15) << what;
  }

  void expect_right(const RawTensor& tensor) const {
    SCOPED_TRACE(tensor.name + " " + tensor.dtype);
    const TensorStatistics found = of(tensor), expected = reference();
    EXPECT_EQ(found.elements, expected.elements);
    EXPECT_EQ(found.zeros, expected.zeros);
    EXPECT_EQ(found.nans, expected.nans);
    EXPECT_EQ(found.infinities, expected.infinities);
    EXPECT_EQ(found.minimum, expected.minimum);
    EXPECT_EQ(found.maximum, expected.maximum);
    EXPECT_NEAR(found.mean, expected.mean, 1e-14 * expected.norm);
    expect_close(found.norm, expected.norm, "norm");
    expect_close(found.standard_deviation, expected.standard_deviation, "standard deviation");
    for (size_t i = 0; i < kQuantiles.size(); ++i) {
      expect_close(found.quantiles[i], expected.quantiles[i], "quantile " + std::to_string(kQuantiles[i]));
    }
    EXPECT_EQ(found.histogram, expected.histogram);
  }

  const TemporaryDirectory folder_;
};

// More than one block for each of several threads, and a last one that is not full.
constexpr size_t kMany = 1'100'003;

TEST_F(StatisticsTest, AreThoseOfTheSortedElements) {
  const std::vector<double> values = bell(kMany);
  expect_right(raw_tensor("many", "F32", as<float>(values)));
  expect_right(raw_tensor("many", "F64", values));
  expect_right(raw_tensor("many", "BF16", as_bf16(values)));
  expect_right(raw_tensor("many", "F16", as_f16(values)));
  expect_right(raw_tensor("many", "I32", as<int32_t>(values, 1e6)));
  expect_right(raw_tensor("many", "I64", as<int64_t>(values, 1e12)));
  expect_right(raw_tensor("many", "I16", as<int16_t>(values, 1000)));
  expect_right(raw_tensor("many", "I8", as<int8_t>(values, 3)));
}

TEST_F(StatisticsTest, OfAFewElements) {
  for (const size_t count : {1u, 2u, 3u, 17u}) {
    expect_right(raw_tensor(std::to_string(count), "F32", as<float>(bell(count))));
    expect_right(raw_tensor(std::to_string(count), "F16", as_f16(bell(count))));
  }
}

TEST_F(StatisticsTest, OfElementsThatDifferInTheirLastBits) {
  std::vector<float> near(kMany);
  for (size_t i = 0; i < near.size(); ++i) near[i] = 1 + 0x1p-23f * static_cast<float>(i % 5);
  expect_right(raw_tensor("near one", "F32", near));
  std::vector<double> nearer(kMany);
  for (size_t i = 0; i < nearer.size(); ++i) nearer[i] = -1 - 0x1p-52 * static_cast<double>(i % 7);
  const TensorStatistics found = of(raw_tensor("nearer", "F64", nearer));
  EXPECT_EQ(found.quantiles[3], -1 - 3 * 0x1p-52);
}

TEST_F(StatisticsTest, OfMoreEqualElementsThanAreCollected) {
  std::vector<float> mostly_zero(5'000'000);
  for (size_t i = 0; i < mostly_zero.size(); i += 100) mostly_zero[i] = static_cast<float>(i) - 1e6f;
  expect_right(raw_tensor("mostly zero", "F32", mostly_zero));
}

TEST_F(StatisticsTest, OfEqualElements) {
  const TensorStatistics ones = of(raw_tensor("ones", "F32", std::vector<float>(20000, 1)));
  EXPECT_EQ(ones.quantiles[0], 1);
  EXPECT_EQ(ones.standard_deviation, 0);
  EXPECT_EQ(ones.histogram[0], 20000);
  expect_right(raw_tensor("ones", "BF16", as_bf16(std::vector<double>(100, 1))));
}

TEST_F(StatisticsTest, ZerosHaveNoSignInAnyDtype) {
  for (const std::vector<double>& values : {std::vector<double>{-0.0, -0.0}, {-1, -0.0, -0.0, -0.0}}) {
    for (const RawTensor& tensor :
         {raw_tensor("zero", "F32", as<float>(values)), raw_tensor("zero", "F64", values),
          raw_tensor("zero", "BF16", as_bf16(values)), raw_tensor("zero", "F16", as_f16(values))}) {
      const TensorStatistics found = of(tensor);
      EXPECT_EQ(std::signbit(found.minimum), values[0] < 0) << tensor.dtype;
      EXPECT_FALSE(std::signbit(found.maximum)) << tensor.dtype;
      EXPECT_FALSE(std::signbit(found.quantiles[kQuantiles.size() / 2])) << tensor.dtype;
    }
  }
}

TEST_F(StatisticsTest, CountWhatIsNotFiniteAndLeaveItOut) {
  std::vector<double> values = bell(100'000);
  for (size_t i = 5; i < values.size(); i += 997) {
    values[i] = std::array<double, 4>{NAN, -NAN, kInfinity, -kInfinity}[i % 4];
  }
  expect_right(raw_tensor("nonfinite", "F32", as<float>(values)));
  expect_right(raw_tensor("nonfinite", "F64", values));
  expect_right(raw_tensor("nonfinite", "BF16", as_bf16(values)));
  EXPECT_GT(reference().nans, 10);
  EXPECT_GT(reference().infinities, 10);
}

TEST_F(StatisticsTest, OfNoFiniteElementAreNaN) {
  for (const std::vector<float>& values : {std::vector<float>{}, std::vector<float>{NAN, INFINITY}}) {
    const TensorStatistics found = of(raw_tensor("none", "F32", values));
    EXPECT_EQ(found.elements, std::ssize(values));
    EXPECT_EQ(found.nans + found.infinities, std::ssize(values));
    EXPECT_TRUE(std::isnan(found.minimum));
    EXPECT_TRUE(std::isnan(found.norm));
    EXPECT_TRUE(std::isnan(found.quantiles[3]));
    EXPECT_EQ(found.histogram, TensorStatistics{}.histogram);
  }
  EXPECT_TRUE(std::isnan(of(raw_tensor("none", "F16", std::vector<uint16_t>{0x7E00})).maximum));
}

TEST_F(StatisticsTest, AreTheSameOnAnyNumberOfThreads) {
  const RawTensor tensor = raw_tensor("many", "F32", as<float>(bell(kMany)));
  const int threads = num_threads();
  omp_set_num_threads(3);
  const TensorStatistics three = of(tensor);
  omp_set_num_threads(1);
  const TensorStatistics one = of(tensor);
  omp_set_num_threads(threads);
  EXPECT_EQ(one.mean, three.mean);
  EXPECT_EQ(one.standard_deviation, three.standard_deviation);
  EXPECT_EQ(one.quantiles, three.quantiles);
}

TEST_F(StatisticsTest, ThereAreNoneOfOtherDtypes) {
  write_raw(folder_ / "file", {raw_tensor("bytes", "F8_E4M3", std::vector<uint8_t>{1, 2})});
  EXPECT_FALSE(statistics_of(FileTensors(folder_ / "file").weights().front()));
  write_raw(folder_ / "file", {raw_tensor("large", "U64", std::vector<uint64_t>{1, 2})});
  EXPECT_FALSE(statistics_of(FileTensors(folder_ / "file").weights().front()));
}

TEST_F(StatisticsTest, AFileThatIsCutOffMeanwhileIsDamaged) {
  write_raw(folder_ / "file", {raw_tensor("many", "F32", as<float>(bell(kMany)))});
  const FileTensors file(folder_ / "file");
  std::filesystem::resize_file(folder_ / "file", 1000);
  EXPECT_THROW(statistics_of(file.weights().front()), DamagedFileError);
}

TEST_F(StatisticsTest, AreNumPys) {
  if (!python_has("numpy")) GTEST_SKIP() << "needs numpy for " << python();
  std::vector<double> values = bell(kMany);
  values[17] = NAN;
  values[19] = -kInfinity;
  const std::vector<RawTensor> tensors{raw_tensor("F64", "F64", values), raw_tensor("F32", "F32", as<float>(values)),
                                       raw_tensor("BF16", "BF16", as_bf16(values)),
                                       raw_tensor("F16", "F16", as_f16(bell(5000))),
                                       raw_tensor("I32", "I32", as<int32_t>(bell(kMany), 1e6))};
  write_raw(folder_ / "file", tensors);
  const std::string script = BERTHA_SOURCE_DIR "/tests/fixtures/tensor_statistics.py";
  ASSERT_EQ(std::system((quoted(python()) + " " + quoted(script) + " " + quoted(folder_ / "file") + " >" +
                         quoted(folder_ / "out"))
                            .c_str()),
            0);
  std::ifstream out(folder_ / "out");
  const auto reference = nlohmann::json::parse(out);
  const FileTensors file(folder_ / "file");
  ASSERT_EQ(file.weights().size(), tensors.size());
  for (const FileTensor& tensor : file.weights()) {
    SCOPED_TRACE(tensor.tensor.name);
    const nlohmann::json& expected = reference.at(tensor.tensor.name);
    const TensorStatistics found = statistics_of(tensor).value();
    EXPECT_EQ(found.zeros, expected["zeros"]);
    EXPECT_EQ(found.nans, expected["nans"]);
    EXPECT_EQ(found.infinities, expected["infinities"]);
    EXPECT_EQ(found.minimum, expected["minimum"]);
    EXPECT_EQ(found.maximum, expected["maximum"]);
    EXPECT_NEAR(found.mean, expected["mean"].get<double>(), 1e-14 * found.norm);
    expect_close(found.standard_deviation, expected["standard_deviation"], "standard deviation");
    expect_close(found.norm, expected["norm"], "norm");
    for (size_t i = 0; i < kQuantiles.size(); ++i) {
      expect_close(found.quantiles[i], expected["quantiles"][i], "quantile " + std::to_string(kQuantiles[i]));
    }
    EXPECT_EQ(nlohmann::json(found.histogram), expected["histogram"]);
  }
}

}  // namespace
}  // namespace bertha
