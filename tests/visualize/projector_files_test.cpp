#include "visualize/projector_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/temporary_directory.h"
#include "tests/visualize/planted_groups.h"

namespace bertha {
namespace {

std::vector<std::vector<std::string>> cells_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    auto& cells = rows.emplace_back();
    std::istringstream rest(line + "\t");
    for (std::string cell; std::getline(rest, cell, '\t');) cells.push_back(cell);
  }
  return rows;
}

TEST(ProjectorFiles, ReadBackAsTheSameNumbersAndNames) {
  const TemporaryDirectory folder;
  EmbeddingPoints points{
      .vectors = planted_groups(3, 7, 3, 0.5),
      .names = {"a", "tab\tand\nline", ""},
      .columns = {{.name = "kind", .texts = {"x", "y\r", "z"}}, {.name = "id", .numbers = {0, 0.1, 2}}}};
  points.vectors.data<float>()[0] = 1e-40f;
  points.vectors.data<float>()[1] = -16777217.0f;
  write_projector_files(folder / "new/tsv", points);
  const auto vectors = cells_of(folder / "new/tsv/vectors.tsv");
  ASSERT_EQ(vectors.size(), 3u) << "a line a point, and none of names";
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(vectors[i].size(), 7u);
    for (size_t j = 0; j < 7; ++j)
      EXPECT_EQ(std::strtof(vectors[i][j].c_str(), nullptr), points.vectors.span<float>()[7 * i + j]);
  }
  EXPECT_EQ(cells_of(folder / "new/tsv/metadata.tsv"),
            (std::vector<std::vector<std::string>>{
                {"name", "kind", "id"}, {"a", "x", "0"}, {"tab and line", "y ", "0.1"}, {"", "z", "2"}}));
}

}  // namespace
}  // namespace bertha
