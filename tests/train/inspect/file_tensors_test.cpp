#include "train/inspect/file_tensors.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "autograd/core/error.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

class FileTensorsTest : public testing::Test {
 protected:
  static std::vector<float> values(const FileTensor& tensor) {
    std::vector<float> values(static_cast<size_t>(tensor.tensor.numel()));
    read_elements(*tensor.file, tensor.tensor, 0, std::span(values));
    return values;
  }

  const TemporaryDirectory folder_;
  TinyCheckpoint tiny_;
  const std::string checkpoint_ = tiny_.save(Checkpoints(folder_.path(), 1), 7);
};

TEST_F(FileTensorsTest, OfACheckpointAreWeightsAndMoments) {
  const FileTensors tensors(checkpoint_);
  ASSERT_EQ(tensors.weights().size(), 2u);
  EXPECT_EQ(tensors.weights()[1].tensor.name, "bert.dense.weight");
  EXPECT_EQ(values(tensors.weights()[1]), tiny_.weight);
  EXPECT_EQ(tensors.metadata().at("format"), "pt");
  ASSERT_EQ(tensors.moments().size(), 4u);
  EXPECT_EQ(tensors.moments()[1].tensor.name, "first_moment/bert.dense.weight");
  EXPECT_EQ(tensors.moments()[1].tensor.shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(values(tensors.moments()[1]), tiny_.first_weight);
  EXPECT_EQ(values(tensors.moments()[2]), tiny_.second_bias);
}

TEST_F(FileTensorsTest, OfAFileHasNoMoments) {
  EXPECT_TRUE(FileTensors(checkpoint_ + "/model.safetensors").moments().empty());
}

TEST_F(FileTensorsTest, ReadsElementsFromAnyPlaceOn) {
  const FileTensors tensors(checkpoint_);
  std::vector<double> two(2);
  read_numbers(*tensors.weights()[1].file, tensors.weights()[1].tensor, 3, std::span(two));
  EXPECT_EQ(two, (std::vector<double>{4, 5}));
}

TEST_F(FileTensorsTest, RefusesWhatTheManifestDoesNotKnow) {
  std::filesystem::remove(checkpoint_ + "/MANIFEST.json");
  EXPECT_THROW(FileTensors{checkpoint_}, DamagedFileError);
}

TEST_F(FileTensorsTest, RefusesAHeaderThatWasChanged) {
  const std::string path = checkpoint_ + "/model.safetensors";
  std::string bytes = bytes_of(path);
  bytes[bytes.find("dense.bias")] = 'x';
  write_bytes(path, bytes);
  EXPECT_THROW(FileTensors{checkpoint_}, DamagedFileError);
}

}  // namespace
}  // namespace bertha
