#include "train/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

const std::string kFixtures = std::string(BERTHA_SOURCE_DIR) + "/tests/fixtures/";

std::string safetensors_bytes(std::string_view header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes.append(header).append(data_bytes, '\1');
}

template <class T>
std::vector<T> read(const SafetensorsFile& file, std::string_view name) {
  std::vector<T> values(static_cast<size_t>(file.at(name).numel()));
  file.read(name, std::span(values));
  return values;
}

TEST(Safetensors, ReadsEveryDtypeOfTheReferenceImplementation) {
  const SafetensorsFile file(kFixtures + "dtypes.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_EQ(read<double>(file, "f64"), (std::vector<double>{1.5, -1e300}));
  EXPECT_EQ(read<float>(file, "f64")[0], 1.5f);
  EXPECT_EQ(read<float>(file, "f32"), (std::vector<float>{0.1f, -0.0f, 3e38f, 1e-45f, 2.0f, -7.25f}));
  EXPECT_EQ(read<double>(file, "f32")[0], static_cast<double>(0.1f));
  EXPECT_EQ(read<float>(file, "f16"),
            (std::vector<float>{1.0f, -2.5f, 65504.0f, 0x1p-24f, std::numeric_limits<float>::infinity(), 0x1p-14f}));
  EXPECT_EQ(read<float>(file, "bf16")[0], 1.0f);
  EXPECT_NEAR(read<float>(file, "bf16")[1] / -3e38f, 1, 0.004);
  EXPECT_EQ(read<int64_t>(file, "i64"), (std::vector<int64_t>{-(int64_t{1} << 62), 5}));
  EXPECT_EQ(read<int64_t>(file, "i32"), (std::vector<int64_t>{-7, 8}));
  EXPECT_EQ(read<int64_t>(file, "i16"), (std::vector<int64_t>{-300}));
  EXPECT_EQ(read<int64_t>(file, "i8"), (std::vector<int64_t>{-128, 127}));
  EXPECT_EQ(read<int64_t>(file, "u8"), (std::vector<int64_t>{255}));
  EXPECT_EQ(read<int64_t>(file, "bool"), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_EQ(read<float>(file, "scalar"), (std::vector<float>{2.5f}));
  EXPECT_TRUE(read<float>(file, "empty").empty());
}

TEST(Safetensors, ListsShapesSortedByName) {
  const SafetensorsFile file(kFixtures + "written_by_reference.safetensors");
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors()[0].name, "bert.embeddings.LayerNorm.weight");
  EXPECT_EQ(file.tensors()[1].shape, (std::vector<int64_t>{3, 2}));
  EXPECT_TRUE(file.tensors()[1].has_shape({3, 2}));
  EXPECT_FALSE(file.tensors()[1].has_shape({2, 3}));
  EXPECT_FALSE(file.tensors()[1].has_shape({3}));
  EXPECT_EQ(file.find("cls"), nullptr);
}

TEST(Safetensors, RefusesToReadIntoWhatDoesNotFit) {
  const SafetensorsFile file(kFixtures + "dtypes.safetensors");
  std::vector<float> floats(5);
  std::vector<int64_t> integers(2);
  EXPECT_THROW(file.read("f32", std::span(floats)), MismatchError);
  EXPECT_THROW(file.read("absent", std::span(floats)), MismatchError);
  floats.resize(2);
  EXPECT_THROW(file.read("i64", std::span(floats)), MismatchError);
  EXPECT_THROW(file.read("f64", std::span(integers)), MismatchError);
}

TEST(Safetensors, RefusesAMissingFileAndAFolder) {
  EXPECT_THROW(SafetensorsFile("/nonexistent.safetensors"), ConfigError);
  EXPECT_THROW(SafetensorsFile{std::string("/tmp")}, ConfigError);
}

TEST(Safetensors, AcceptsAPaddedHeaderAndAnEmptyFile) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  write_bytes(path, safetensors_bytes("{}      ", 0));
  EXPECT_TRUE(SafetensorsFile(path).tensors().empty());
  write_bytes(path, safetensors_bytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   )", 2));
  EXPECT_EQ(read<int64_t>(SafetensorsFile(path), "a"), (std::vector<int64_t>{1, 1}));
}

struct HostileHeader {
  std::string_view header;
  size_t data_bytes;
  std::string_view complaint;
};

TEST(Safetensors, RefusesHostileHeadersNamingTheTensor) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[');
  const HostileHeader cases[] = {
      {"", 0, "does not start with '{'"},
      {" {}", 0, "does not start with '{'"},
      {"[]", 0, "does not start with '{'"},
      {"{", 0, "not valid JSON"},
      {"{}{}", 0, "not valid JSON"},
      {"{} x", 0, "not valid JSON"},
      {"{\"\xff\":1}", 0, "not valid JSON"},
      {deep, 0, "an array"},
      {"{\"a\":1}", 0, "a number"},
      {"{\"a\":null}", 0, "null"},
      {"{\"a\":{}}", 0, "'a' needs dtype"},
      {"{}", 1, "1 bytes follow"},
      {R"({"__metadata__":{"format":1}})", 0, "a number"},
      {R"({"__metadata__":{"f":"a","f":"b"}})", 0, "duplicate key 'f'"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "duplicate"},
      {R"({"__metadata__":{"a":{}}})", 0, "an object"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2, "duplicate tensor 'a'"},
      {R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "two keys 'dtype'"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}})", 1, "unknown key 'more'"},
      {R"({"a":{"dtype":"U8","shape":[1]}})", 1, "'a' needs"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, "'a' needs"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1, "a number"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1, "'a' needs"},
      {R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1, "a negative number"},
      {R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1, "a fraction"},
      {R"({"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}})", 1, "an array"},
      {R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1, "a string"},
      {R"({"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}})", 1, "a boolean"},
      {R"({"a":{"dtype":"U8","shape":{"a":1},"data_offsets":[0,1]}})", 1, "an object"},
      {R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1, "unknown dtype 'F4'"},
      {R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, "a number"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1, "'a' has 1 bytes by its offsets, 4"},
      {R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "overflows"},
      {R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0, "overflows"},
      {R"({"a":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,0]}})", 0, "a fraction"},
      {R"({"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}})", 1, "cut off"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "'a' starts at byte 1"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3, "'b' starts at byte 1"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
       3, "'b' starts at byte 2"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1, "'a' ends at byte 2"},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 3, "1 bytes follow"},
  };
  const TemporaryDirectory directory;
  const std::string path = directory / "hostile.safetensors";
  for (const HostileHeader& hostile : cases) {
    write_bytes(path, safetensors_bytes(hostile.header, hostile.data_bytes));
    try {
      SafetensorsFile file(path);
      ADD_FAILURE() << "accepted: " << hostile.header.substr(0, 200);
    } catch (const DamagedFileError& error) {
      EXPECT_NE(std::string_view(error.what()).find(hostile.complaint), std::string_view::npos)
          << error.what() << "\nfor " << hostile.header.substr(0, 200);
      EXPECT_TRUE(std::string_view(error.what()).starts_with(path)) << error.what();
    }
  }
}

TEST(Safetensors, RefusesAHeaderLengthBeyondTheFileOrTheCap) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  for (const uint64_t length : {uint64_t{3}, uint64_t{1} << 40, UINT64_MAX, UINT64_MAX - 7}) {
    std::string bytes = safetensors_bytes("{}", 0);
    std::memcpy(bytes.data(), &length, sizeof length);
    write_bytes(path, bytes);
    EXPECT_THROW(SafetensorsFile{path}, DamagedFileError) << length;
  }
  write_bytes(path, safetensors_bytes("{}", 0));
  std::filesystem::resize_file(path, 200'000'000);  // sparse
  const uint64_t beyond_the_cap = 100'000'001;
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
      .write(reinterpret_cast<const char*>(&beyond_the_cap), sizeof beyond_the_cap);
  EXPECT_THROW(SafetensorsFile{path}, DamagedFileError);
}

TEST(Safetensors, RefusesTruncationAtEveryLength) {
  const std::string whole = bytes_of(kFixtures + "dtypes.safetensors");
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  for (size_t length = 0; length < whole.size(); ++length) {
    write_bytes(path, std::string_view(whole).substr(0, length));
    EXPECT_THROW(SafetensorsFile{path}, DamagedFileError) << length;
  }
}

// Any single byte of the header may turn one valid header into another, but never into a crash or a stray exception.
TEST(Safetensors, SurvivesEveryByteOfTheHeaderChanged) {
  const std::string whole = bytes_of(kFixtures + "dtypes.safetensors");
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, whole.data(), sizeof header_bytes);
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  int refused = 0;
  for (size_t i = 0; i < sizeof header_bytes + header_bytes; ++i) {
    for (const int change : {1, 2, 16, 128}) {
      std::string mutated = whole;
      mutated[i] = static_cast<char>(mutated[i] ^ change);
      write_bytes(path, mutated);
      try {
        const SafetensorsFile file(path);
        for (const StoredTensor& tensor : file.tensors()) EXPECT_LE(tensor.offset + tensor.bytes, whole.size());
      } catch (const DamagedFileError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Safetensors, WritesTheBytesOfTheReferenceImplementation) {
  const std::vector<float> bias{0.0f / 3, 1.0f / 3, 2.0f / 3}, ones{1, 1};
  std::vector<float> words;
  for (int i = 0; i < 6; ++i) words.push_back(static_cast<float>(i) / 7);
  const TemporaryDirectory directory;
  OutputFile file(directory / "written");
  write_safetensors(file, std::vector<TensorView>{{"cls.predictions.bias", {3}, bias},
                                                  {"bert.embeddings.word_embeddings.weight", {3, 2}, words},
                                                  {"bert.embeddings.LayerNorm.weight", {2}, ones}});
  const FileRecord record = file.finish();
  EXPECT_EQ(bytes_of(directory / "written"), bytes_of(kFixtures + "written_by_reference.safetensors"));
  ASSERT_EQ(record.tensors.size(), 3u);
  EXPECT_EQ(record.tensors[2].name, "cls.predictions.bias");
  EXPECT_EQ(record.tensors[2].offset, record.bytes - 12);
}

TEST(Safetensors, RefusesToWriteTwinsAndHalfFilledShapes) {
  const std::vector<float> values{1, 2};
  const TemporaryDirectory directory;
  OutputFile file(directory / "written");
  EXPECT_THROW(write_safetensors(file, std::vector<TensorView>{{"a", {2}, values}, {"a", {2}, values}}), Error);
  EXPECT_THROW(write_safetensors(file, std::vector<TensorView>{{"a", {3}, values}}), Error);
}

}  // namespace
}  // namespace bertha
