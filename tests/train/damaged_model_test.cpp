// What reads a model directory that has a manifest: nothing is used that is not what was written.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "autograd/core/error.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"
#include "tests/train/small_task.h"
#include "train/checkpoint/safetensors.h"
#include "train/model_directory.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

class DamagedModel : public testing::Test {
 protected:
  DamagedModel() { publish_model(model_, (*task_).model_content()); }

  void read() const {
    const auto model = read_model(model_);
    read_tokenizer(model_, model->config());
  }

  /// Every byte of a file in turn, or one in `stride`.
  void flip_each(const std::string& name, size_t begin, size_t stride,
                 const std::function<void(size_t at, const std::string& sentence)>& look) const {
    const std::string path = model_ + "/" + name;
    const std::string bytes = bytes_of(path);
    for (size_t i = begin; i < bytes.size(); i += stride) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
      write_bytes(path, damaged);
      look(i, message_of<DamagedFileError>([this] { read(); }));
    }
    write_bytes(path, bytes);
    EXPECT_NO_THROW(read());
  }

  TemporaryDirectory folder_;
  std::string model_ = folder_ / "model";
  SmallTask task_{MicroSlices(10, 5)};
};

TEST_F(DamagedModel, EveryFlippedByteOfASmallFileIsFoundBeforeItIsUsed) {
  for (const std::string name : {"config.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"}) {
    flip_each(name, 0, 1, [&](size_t at, const std::string& sentence) {
      EXPECT_EQ(sentence.find(model_ + "/" + name), 0u) << at << ": " << sentence;
    });
  }
  flip_each("MANIFEST.json", 0, 11, [&](size_t at, const std::string& sentence) {
    EXPECT_EQ(sentence.find(model_ + "/MANIFEST.json"), 0u) << at << ": " << sentence;
  });
}

TEST_F(DamagedModel, EveryFlippedByteOfTheWeightsIsFoundAndNamed) {
  const std::string path = model_ + "/model.safetensors";
  const SafetensorsFile file(path);
  const size_t data = std::ranges::min(file.tensors(), {}, &StoredTensor::offset).offset;
  flip_each("model.safetensors", data, 331, [&](size_t at, const std::string& sentence) {
    const auto tensor = std::ranges::find_if(
        file.tensors(), [&](const StoredTensor& t) { return t.offset <= at && at < t.offset + t.bytes; });
    EXPECT_EQ(sentence.find(path + ": tensor '" + tensor->name + "'"), 0u) << sentence;
  });
  flip_each("model.safetensors", 0, 97,
            [&](size_t, const std::string& sentence) { EXPECT_EQ(sentence.find(path), 0u) << sentence; });
}

TEST_F(DamagedModel, AMissingFileIsFound) {
  fs::remove(model_ + "/special_tokens_map.json");
  EXPECT_EQ(message_of<DamagedFileError>([this] { read(); }),
            model_ + "/special_tokens_map.json: is missing; where that is on purpose, remove MANIFEST.json");
}

TEST_F(DamagedModel, WithoutAManifestADirectoryIsAsOtherProgramsWriteIt) {
  fs::remove(model_ + "/MANIFEST.json");
  write_bytes(model_ + "/special_tokens_map.json", "{}");
  EXPECT_NO_THROW(read());
}

}  // namespace
}  // namespace bertha
