// Two types of one name in one namespace, defined in two files, are a clash that no compiler reports.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace bertha {
namespace {

namespace fs = std::filesystem;

/// The types that a source, formatted as all are, defines where other files could mean them: with their namespaces, and
/// outside unnamed ones.
std::set<std::string> types_defined(std::istream& source) {
  static const std::regex opening(R"(namespace(?: ([\w:]+))? \{)");
  static const std::regex closing(R"(\}  // namespace.*)");
  static const std::regex definition(R"((?:template <.*> )?(?:struct|class|union|enum class|enum) (\w+)(?: .*)?\{.*)");
  std::set<std::string> types;
  std::vector<std::string> namespaces;
  std::smatch match;
  for (std::string line; std::getline(source, line);) {
    if (std::regex_match(line, match, opening)) namespaces.push_back(match[1]);
    if (std::regex_match(line, closing) && !namespaces.empty()) namespaces.pop_back();
    if (!std::regex_match(line, match, definition)) continue;
    std::string name;
    bool unnamed = false;
    for (const std::string& part : namespaces) {
      unnamed |= part.empty();
      name += part + "::";
    }
    if (!unnamed) types.insert(name + match[1].str());
  }
  return types;
}

TEST(TypeNames, EachStandsForOneType) {
  std::map<std::string, std::vector<std::string>> files_by_type;
  for (const char* folder : {"autograd", "nn", "data", "train", "visualize", "cli", "tests"}) {
    const fs::path root = fs::path(BERTHA_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ifstream source(entry.path());
      for (const std::string& type : types_defined(source)) {
        files_by_type[type].push_back(entry.path().lexically_relative(BERTHA_SOURCE_DIR));
      }
    }
  }
  EXPECT_GT(files_by_type.size(), 100u);
  for (const auto& [type, files] : files_by_type) {
    EXPECT_EQ(files.size(), 1u) << type << " is defined in " << files.front() << " and " << files.back();
  }
}

TEST(TypeNames, TheCheckerSeesDefinitionsOnly) {
  std::istringstream source(R"(
struct Global {};
namespace bertha {
class Forward;
struct One {
  struct Member {};
};
class Two final : public One {
enum class Three { kA, kB };
template <class T> struct Four {
namespace {
struct Hidden {
}  // namespace
namespace kernels {
struct Five { int x; };
}  // namespace kernels
union Six {
}  // namespace bertha
)");
  EXPECT_EQ(types_defined(source), (std::set<std::string>{"Global", "bertha::One", "bertha::Two", "bertha::Three",
                                                          "bertha::Four", "bertha::kernels::Five", "bertha::Six"}));
}

}  // namespace
}  // namespace bertha
