#include "train/checkpoint/manifest.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "autograd/core/error.h"
#include "data/checksum.h"
#include "tests/message_of.h"
#include "tests/temporary_directory.h"
#include "tests/train/checkpoint/tiny_checkpoint.h"

namespace bertha {
namespace {

std::string checksum_text(std::string_view bytes) {
  return to_hex(checksum_of(std::as_bytes(std::span(bytes))));
}

std::string with_checksum(const std::string& body) {
  return body + ",\n  \"checksum\": \"" + checksum_text(body) + "\"\n}\n";
}

void expect_damage(const std::string& directory, const std::string& part, const std::string& what) {
  try {
    verify_directory(directory);
    ADD_FAILURE() << "found nothing (expected " << part << ")";
  } catch (const DamagedFileError& error) {
    EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(what), std::string_view::npos) << error.what();
  }
}

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() : directory_(parent_ / "model") { publish_model(directory_, TinyCheckpoint().model()); }

  void change(const std::string& name, const std::function<void(std::string&)>& edit) {
    std::string bytes = bytes_of(directory_ + "/" + name);
    edit(bytes);
    write_bytes(directory_ + "/" + name, bytes);
  }

  TemporaryDirectory parent_;
  std::string directory_;
};

TEST_F(ManifestTest, RoundTrips) {
  const Manifest manifest = Manifest::read(directory_);
  EXPECT_EQ(manifest.to_text(), bytes_of(directory_ + "/MANIFEST.json"));
  ASSERT_NE(manifest.find("model.safetensors"), nullptr);
  EXPECT_EQ(manifest.find("model.safetensors")->tensors.at(1).name, "bert.dense.weight");
  EXPECT_EQ(to_hex(manifest.find("config.json")->checksum), checksum_text(bytes_of(directory_ + "/config.json")));
  EXPECT_EQ(manifest.find("absent"), nullptr);
}

TEST_F(ManifestTest, NamesTheDamagedTensor) {
  change("model.safetensors", [](std::string& bytes) { bytes.back() ^= 1; });
  expect_damage(directory_, "model.safetensors: tensor 'bert.dense.weight': has checksum", "was written");
}

TEST_F(ManifestTest, TellsTheHeaderFromTheTensors) {
  change("model.safetensors", [](std::string& bytes) { bytes[20] ^= 1; });
  expect_damage(directory_, "model.safetensors: outside its tensors has checksum", "was written");
}

TEST_F(ManifestTest, NamesTheTensorAtWhichAFileIsCutOff) {
  change("model.safetensors", [](std::string& bytes) { bytes.resize(bytes.size() - 24 - 1); });
  expect_damage(directory_, "model.safetensors: tensor 'bert.dense.bias'", "were written");
}

TEST_F(ManifestTest, CountsFurtherDamage) {
  change("config.json", [](std::string& bytes) { bytes += ' '; });
  std::filesystem::remove(directory_ + "/vocab.txt");
  expect_damage(directory_, "config.json: has 24 bytes (23 were written)", "(and 1 more)");
  const std::vector<Damage> damage = find_damage(directory_);
  ASSERT_EQ(damage.size(), 2u);
  EXPECT_EQ(to_sentence(damage[1]), directory_ + "/vocab.txt: is missing");
}

TEST_F(ManifestTest, LeavesOtherFilesAlone) {
  write_bytes(directory_ + "/README.md", "mine");
  EXPECT_TRUE(find_damage(directory_).empty());
}

TEST_F(ManifestTest, QuickCheckSeesTheHeaderAndNotTheTensors) {
  const FileRecord record = *Manifest::read(directory_).find("model.safetensors");
  change("model.safetensors", [](std::string& bytes) { bytes.back() ^= 1; });
  EXPECT_NO_THROW(verify_between_tensors(directory_, record));
  change("model.safetensors", [](std::string& bytes) { bytes[20] ^= 1; });
  EXPECT_THROW(verify_between_tensors(directory_, record), DamagedFileError);
}

TEST_F(ManifestTest, RefusesAMissingOne) {
  std::filesystem::remove(directory_ + "/MANIFEST.json");
  EXPECT_THROW(Manifest::read(directory_), DamagedFileError);
}

TEST_F(ManifestTest, RefusesAnotherFormatVersion) {
  write_bytes(directory_ + "/MANIFEST.json", with_checksum("{\n  \"format_version\": 2,\n  \"files\": []"));
  EXPECT_THROW(Manifest::read(directory_), MismatchError);
}

TEST_F(ManifestTest, RefusesNamesThatAreNoneAndTwiceTheSame) {
  const auto sentence_of = [&](const std::vector<std::string>& names) {
    Manifest manifest;
    for (const std::string& name : names) manifest.files.push_back({name, 4, 0, 0, {}});
    write_bytes(directory_ + "/MANIFEST.json", manifest.to_text());
    return message_of<DamagedFileError>([&] { Manifest::read(directory_); });
  };
  const std::string path = directory_ + "/MANIFEST.json: ";
  EXPECT_EQ(sentence_of({"a\x1b[31m\nbertha: all is well"}),
            path + R"('a?[31m?bertha: all is well' is not the name of a file in this directory)");
  EXPECT_LT(sentence_of({std::string(100'000, 'a')}).size(), path.size() + 250);
  EXPECT_EQ(sentence_of({"a", "b", "a"}), path + "lists 'a' twice");
}

TEST_F(ManifestTest, RefusesHostileContentWithARightChecksum) {
  const std::string file = R"({"name": "a", "bytes": 4, "checksum": "0000000000000000")";
  const std::string bodies[] = {
      "",
      "{",
      "[",
      "{\n  \"format_version\": 1",
      R"({"format_version": "1", "files": [])",
      R"({"format_version": 1, "files": {"a": 1})",
      R"({"format_version": 1, "files": [1])",
      R"({"format_version": 1, "files": [{"name": "../a", "bytes": 4, "checksum": "0000000000000000"}])",
      R"({"format_version": 1, "files": [{"name": "", "bytes": 4, "checksum": "0000000000000000"}])",
      R"({"format_version": 1, "files": [{"name": "a", "bytes": "4", "checksum": "0000000000000000"}])",
      R"({"format_version": 1, "files": [{"name": "a", "bytes": 4, "checksum": 0}])",
      R"({"format_version": 1, "files": [{"name": "a", "bytes": 4, "checksum": "000000000000000g"}])",
      R"({"format_version": 1, "files": [{"name": "a", "bytes": 4, "checksum": "0"}])",
      R"({"format_version": 1, "files": [)" + file + R"(, "tensors": []}])",
      R"({"format_version": 1, "files": [)" + file +
          R"(, "checksum_between": "0000000000000000", "tensors": [{"name": "t", "offset": 2, "bytes": 3, "checksum": "0000000000000000"}]}])",
      R"({"format_version": 1, "files": [)" + file +
          R"(, "checksum_between": "0000000000000000", "tensors": [{"name": "t", "offset": 2, "bytes": 18446744073709551615, "checksum": "0000000000000000"}]}])",
      "{\"format_version\": 1, \"files\": " + std::string(200'000, '['),
  };
  for (const std::string& body : bodies) {
    write_bytes(directory_ + "/MANIFEST.json", with_checksum(body));
    EXPECT_THROW(Manifest::read(directory_), DamagedFileError) << body.substr(0, 200);
  }
}

}  // namespace
}  // namespace bertha
