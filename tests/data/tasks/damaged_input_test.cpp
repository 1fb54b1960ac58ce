#include <gtest/gtest.h>

#include <functional>

#include "autograd/core/error.h"
#include "autograd/core/random.h"
#include "data/tasks/conll.h"
#include "data/tasks/squad.h"
#include "data/tasks/table.h"
#include "tests/data/shard_fixtures.h"

namespace bertha {
namespace {

struct Format {
  std::string name, sound;  // the file's name and content
  std::function<void(const std::string& path)> read;
};

void read_table(const std::string& path) {
  const Table table = Table::read(path);
  for (size_t row = 0; row < table.rows(); ++row)
    for (size_t column = 0; column < table.columns().size(); ++column) table.list(row, column);
}

const std::vector<Format> kFormats{
    {"a.tsv", "text\tlabel\nä b\t1\n\nc\t2\n", read_table},
    {"a.csv", "text,label\n\"ä, \"\"b\"\"\n\",1\nc,2\n", read_table},
    {"a.jsonl", "{\"text\":\"ä\",\"label\":[1,\"b\"]}\n{\"label\":true,\"text\":-1.5e2}\n", read_table},
    {"a.conll", "-DOCSTART- O\n\nä B-X\nb I-X\n\nc\tO\n", [](const std::string& path) { read_conll(path); }},
    {"a.json",
     "{\"data\":[{\"paragraphs\":[{\"context\":\"ä b\",\"qas\":[{\"id\":\"1\",\"question\":\"?\",\"is_impossible\":"
     "false,\"answers\":[{\"text\":\"b\",\"answer_start\":2}]}]}]}]}",
     [](const std::string& path) { read_squad(path); }}};

/// A few random changes: a byte that formats care about put somewhere, or a part doubled or left out.
std::string damaged(std::string text, RandomStream& random) {
  constexpr char kBytes[] = "\0\t\n\r \",:\\[]{}0-.eOB\xC3\xFF\xEF\xBB\xBF";
  const auto place = [&] { return random.below(static_cast<uint32_t>(text.size()) + 1); };
  for (uint32_t changes = 1 + random.below(3); changes > 0; --changes) {
    const size_t begin = place(), length = random.below(8);
    switch (random.below(4)) {
      case 0:
        text.erase(begin, length);
        break;
      case 1:
        text.insert(place(), text.substr(begin, length));
        break;
      default:
        text.insert(begin, 1, kBytes[random.below(std::size(kBytes))]);
    }
  }
  return text;
}

TEST(DamagedInput, IsReadOrRefusedWithItsFile) {
  const TemporaryDirectory folder;
  RandomStream random(1, "test");
  for (const Format& format : kFormats) {
    const std::string path = folder / format.name;
    EXPECT_NO_THROW(format.read(write_file(path, format.sound)));
    int refused = 0;
    for (int i = 0; i < 1500; ++i) {
      try {
        format.read(write_file(path, damaged(format.sound, random)));
      } catch (const DamagedFileError& error) {
        ++refused;
        EXPECT_EQ(std::string(error.what()).find(path + ":"), 0u) << error.what();
      }
    }
    EXPECT_GT(refused, 300) << format.name;
    EXPECT_LT(refused, 1500) << format.name;
  }
}

}  // namespace
}  // namespace bertha
