#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/run_bertha.h"

namespace bertha {
namespace {

namespace fs = std::filesystem;

const fs::path kPages = BERTHA_SOURCE_DIR "/docs/tutorials";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line.substr(0, line.find_last_not_of(" \r") + 1));
  return lines;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// ---- What a page expects, by the rules of docs/tutorials/README.md ----

// `NUMBER~` allows 0.2 or a tenth of the number on either side, `NUMBER~TOLERANCE` as much as it says.
bool matches_line(const std::string& expected, const std::string& line) {
  static const std::regex approximate(R"((-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)~(\d+(?:\.\d+)?)?)");
  static const std::regex special(R"([.^$|()\[\]{}*+?\\])");
  const auto literal = [](const std::string& text) { return std::regex_replace(text, special, R"(\$&)"); };
  std::string pattern;
  std::vector<std::pair<double, double>> ranges;
  auto rest = expected.cbegin();
  for (std::sregex_iterator found(expected.begin(), expected.end(), approximate), end; found != end; ++found) {
    const double number = std::stod(found->str(1));
    const double tolerance = (*found)[2].matched ? std::stod(found->str(2)) : std::max(0.2, std::abs(number) / 10);
    ranges.emplace_back(number - tolerance, number + tolerance);
    pattern += literal({rest, (*found)[0].first}) + R"((-?\d+(?:\.\d+)?(?:e[-+]?\d+)?))";
    rest = (*found)[0].second;
  }
  pattern += literal({rest, expected.cend()});
  std::smatch numbers;
  if (!std::regex_match(line, numbers, std::regex(pattern))) return false;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const double number = std::stod(numbers.str(i + 1));
    if (number < ranges[i].first || number > ranges[i].second) return false;
  }
  return true;
}

using Lines = std::span<const std::string>;

// A line `...` stands for any number of lines.
bool matches(Lines expected, Lines found) {
  if (expected.empty()) return found.empty();
  if (expected.front() == "...") {
    for (size_t skipped = 0; skipped <= found.size(); ++skipped) {
      if (matches(expected.subspan(1), found.subspan(skipped))) return true;
    }
    return false;
  }
  return !found.empty() && matches_line(expected.front(), found.front()) &&
         matches(expected.subspan(1), found.subspan(1));
}

bool matches(const std::string& expected, const std::string& found) {
  return matches(lines_of(expected), lines_of(found));
}

// ---- The pages ----

struct Step {
  std::string place, command;
  std::optional<std::string> expected;  // what the page does not show is not compared
};

// The text of a fenced block, from behind its first line to its last, which `line` is moved to.
std::string read_block(const std::vector<std::string>& lines, size_t& line) {
  std::string text;
  while (++line < lines.size() && lines[line] != "```") text += lines[line] + "\n";
  return text;
}

std::vector<Step> read_steps(const std::string& name, const std::string& page) {
  std::vector<Step> steps;
  const std::vector<std::string> lines = lines_of(page);
  for (size_t line = 0; line < lines.size(); ++line) {
    if (!lines[line].starts_with("```")) continue;
    const std::string kind = lines[line].substr(3), place = name + ":" + std::to_string(line + 1);
    const std::string text = read_block(lines, line);
    EXPECT_LT(line, lines.size()) << place << ": a block without an end";
    if (kind == "sh") {
      steps.push_back({place, text, std::nullopt});
    } else if (kind == "text" && !steps.empty() && !steps.back().expected) {
      steps.back().expected = text;
    } else {
      ADD_FAILURE() << place << ": a block of '" << kind << "' (expected sh, or text behind sh)";
    }
  }
  return steps;
}

std::map<std::string, std::string> read_pages() {
  std::map<std::string, std::string> pages;  // in the order of their numbers
  for (const auto& entry : fs::directory_iterator(kPages)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".md") && std::isdigit(static_cast<unsigned char>(name.front()))) {
      pages[name] = read_file(entry.path());
    }
  }
  return pages;
}

// What README.md tells a reader to do first, and one command.
CommandResult run_step(const std::string& command, const TemporaryDirectory& folder) {
  std::ofstream(folder / "step.sh") << command;
  return run_command("cd " + folder.path() +
                         " && BERTHA_ISA=avx2 OMP_NUM_THREADS=1 BERTHA='" BERTHA_SOURCE_DIR "' PATH=\"" +
                         fs::path(BERTHA_BINARY).parent_path().string() + ":$PATH\" bash -euo pipefail step.sh",
                     "");
}

TEST(Tutorials, CommandsPrintWhatThePagesShow) {
  const TemporaryDirectory folder;
  fs::copy(kPages / "data", folder / "data", fs::copy_options::recursive);
  const auto pages = read_pages();
  EXPECT_GE(pages.size(), 8u);
  for (const auto& [name, page] : pages) {
    const std::vector<Step> steps = read_steps(name, page);
    EXPECT_FALSE(steps.empty()) << name;
    for (const Step& step : steps) {
      const CommandResult result = run_step(step.command, folder);
      ASSERT_EQ(result.exit_code, 0) << step.place << "\n" << step.command << result.out << result.err;
      EXPECT_TRUE(!step.expected || matches(*step.expected, result.out)) << step.place << "\n"
                                                                         << step.command << "-- expected:\n"
                                                                         << *step.expected << "-- printed:\n"
                                                                         << result.out;
    }
  }
}

TEST(Tutorials, EveryPageAndDataFileIsUsed) {
  const std::string contents = read_file(kPages / "README.md");
  std::string all;
  for (const auto& [name, page] : read_pages()) {
    EXPECT_NE(contents.find("(" + name + ")"), std::string::npos) << name << " is not in README.md";
    all += page;
  }
  for (const auto& entry : fs::directory_iterator(kPages / "data")) {
    EXPECT_NE(all.find("data/" + entry.path().filename().string()), std::string::npos) << entry.path();
  }
}

TEST(Tutorials, ComparisonSeesADifference) {
  EXPECT_TRUE(matches("a b\n", "a b\n"));
  EXPECT_FALSE(matches("a b\n", "a c\n"));
  EXPECT_FALSE(matches("a\n", "a\nb\n"));
  EXPECT_FALSE(matches("a\nb\n", "a\n"));
  EXPECT_FALSE(matches("a.b\n", "axb\n")) << "only numbers are patterns";
  EXPECT_TRUE(matches("...\nb\n...\n", "a\nb\nc\nd\n"));
  EXPECT_TRUE(matches("a\n...\n", "a\n"));
  EXPECT_FALSE(matches("...\nb\n", "a\nb\nc\n"));
  EXPECT_TRUE(matches("score 0.90~\n", "score 0.7123\n"));
  EXPECT_FALSE(matches("score 0.90~\n", "score 0.6987\n"));
  EXPECT_FALSE(matches("score 0.90~\n", "score -0.9\n"));
  EXPECT_TRUE(matches("legs 4.0~\n", "legs 4.3966\n"));
  EXPECT_FALSE(matches("legs 4.0~\n", "legs 4.4100\n"));
  EXPECT_TRUE(matches("[-1~2,3~0.5]\n", "[0.5,3.4]\n"));
  EXPECT_FALSE(matches("[-1~2,3~0.5]\n", "[0.5,3.6]\n"));
  EXPECT_FALSE(matches("[-1~2,3~0.5]\n", "[0.5,3.4] and more\n"));
}

TEST(Tutorials, ReadsCommandsAndWhatTheyPrint) {
  const std::vector<Step> steps =
      read_steps("page", "Text.\n\n```sh\na\nb\n```\n\nSo:\n\n```text\nc\n```\n```sh\nd\n```\n");
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].place, "page:3");
  EXPECT_EQ(steps[0].command, "a\nb\n");
  EXPECT_EQ(steps[0].expected, "c\n");
  EXPECT_EQ(steps[1].command, "d\n");
  EXPECT_FALSE(steps[1].expected);
}

}  // namespace
}  // namespace bertha
