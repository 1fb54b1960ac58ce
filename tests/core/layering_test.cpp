// Who may include whom, and where each third-party header may appear: docs/architecture.md explains the table.

#include <gtest/gtest.h>

#include <algorithm>
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
using Strings = std::vector<std::string>;

struct Layer {
  std::string folder;  // with what is below it, except folders that are layers themselves
  Strings may_include;
};

const std::vector<Layer> kLayers{
    {"autograd/core", {"autograd/core"}},
    {"autograd/kernels", {"autograd/core", "autograd/kernels"}},
    {"autograd", {"autograd/core", "autograd/kernels", "autograd"}},
    {"nn", {"autograd/core", "autograd", "nn"}},
    {"data", {"autograd/core", "data"}},
    {"train", {"autograd/core", "autograd/kernels", "autograd", "nn", "data", "train"}},
    {"visualize", {"autograd/core", "autograd/kernels", "autograd", "nn", "data", "train", "visualize"}},
    {"cli", {"autograd/core", "autograd/kernels", "autograd", "nn", "data", "train", "visualize", "cli"}},
};

enum class Spread { kOneFile, kOneFilePerFolder, kAnySource };

struct ThirdParty {
  std::string header;  // regular expressions
  std::string home;    // of the files that may include it
  Spread spread;
};

const std::vector<ThirdParty> kThirdParty{
    {R"(Random123/.*)", R"(autograd/core/random\.h)", Spread::kOneFile},
    {R"(omp\.h)", R"(autograd/core/parallel\.h)", Spread::kOneFile},
    {R"(cblas\.h)", R"(bench/kernel_benchmark\.cpp)", Spread::kOneFile},
    {R"((oneapi/dnnl/)?dnnl.*)", R"(bench/kernel_benchmark\.cpp)", Spread::kOneFile},
    {R"(utf8proc\.h)", R"(data/.*\.cpp)", Spread::kOneFile},
    {R"(xxhash\.h)", R"(data/checksum\.cpp)", Spread::kOneFile},
    {R"(zlib\.h)", R"((data/(gzip_stream|shard_table)|visualize/page)\.cpp)", Spread::kAnySource},
    {R"(hdf5.*)", R"((data|train)/.*\.cpp)", Spread::kOneFilePerFolder},
    {R"(mpi\.h)", R"(train/comm/mpi_communicator\.cpp)", Spread::kOneFile},
    {R"(yaml-cpp/.*)", R"(train/config_tree\.cpp)", Spread::kOneFile},
    {R"(Eigen/.*)", R"(visualize/principal_components\.cpp)", Spread::kOneFile},
    {R"(nlohmann/.*)", R"((nn|data|train|visualize|cli)/.*\.cpp)", Spread::kAnySource},
    {R"(fmt/.*)", R"((data|train|visualize|cli)/.*\.cpp)", Spread::kAnySource},
    {R"(CLI/.*)", R"(cli/.*)", Spread::kAnySource},
};

// The standard library, the operating system and the instruction set.
const std::regex kPlatformHeader(
    R"([a-z_0-9]+|(sys|linux|arpa|netinet)/.*|[a-z]+intrin\.h|)"
    R"((unistd|fcntl|spawn|glob|fnmatch|signal|dirent|poll|pthread|sched|dlfcn|termios|cpuid|malloc)\.h)");

struct Include {
  std::string header;
  bool rooted;  // "..." rather than <...>
};

struct SourceFile {
  std::string path;  // from the root of the repository
  std::vector<Include> includes;
};

SourceFile parse(const std::string& path, std::istream& text) {
  static const std::regex directive(R"re(\s*#\s*include\s*(["<])([^">]+)[">].*)re");
  SourceFile file{path, {}};
  std::smatch match;
  for (std::string line; std::getline(text, line);)
    if (std::regex_match(line, match, directive)) file.includes.push_back({match[2], match[1] == "\""});
  return file;
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/");
}

/// The innermost layer that holds `path`, or null.
const Layer* layer_of(const std::string& path) {
  const Layer* innermost = nullptr;
  for (const Layer& layer : kLayers)
    if (is_below(path, layer.folder) && (!innermost || layer.folder.size() > innermost->folder.size()))
      innermost = &layer;
  return innermost;
}

void check_rooted(const SourceFile& file, const std::string& header, const fs::path& root, Strings& violations) {
  const Layer* from = layer_of(file.path);
  const Layer* to = layer_of(header);
  if (!to || !fs::exists(root / header))
    violations.push_back(file.path + ": \"" + header + "\" is no file of a layer (includes start at the root)");
  else if (std::ranges::count(from->may_include, to->folder) == 0)
    violations.push_back(file.path + ": " + from->folder + " may not include " + to->folder + " (\"" + header + "\")");
}

void check_angled(const SourceFile& file, const std::string& header, Strings& violations) {
  if (header == "iostream" && !is_below(file.path, "cli"))
    violations.push_back(file.path + ": only cli prints (<iostream>)");
  const auto third = std::ranges::find_if(
      kThirdParty, [&](const ThirdParty& t) { return std::regex_match(header, std::regex(t.header)); });
  if (third == kThirdParty.end()) {
    if (!std::regex_match(header, kPlatformHeader))
      violations.push_back(file.path + ": <" + header + "> has no home in the table of third-party headers");
    return;
  }
  if (!std::regex_match(file.path, std::regex(third->home)))
    violations.push_back(file.path + ": <" + header + "> belongs elsewhere (" + third->home + ")");
}

void check_spread(const std::vector<SourceFile>& files, Strings& violations) {
  for (const ThirdParty& third : kThirdParty) {
    if (third.spread == Spread::kAnySource) continue;
    std::map<std::string, std::set<std::string>> users;  // by folder, or all under one name
    for (const SourceFile& file : files)
      for (const Include& include : file.includes)
        if (std::regex_match(include.header, std::regex(third.header))) {
          const bool per_folder = third.spread == Spread::kOneFilePerFolder;
          users[per_folder ? fs::path(file.path).parent_path().string() : "the project"].insert(file.path);
        }
    for (const auto& [place, paths] : users)
      if (paths.size() > 1)
        violations.push_back(*paths.rbegin() + ": <" + third.header + "> is included by " +
                             std::to_string(paths.size()) + " files of " + place + " (expected one)");
  }
}

Strings find_violations(const std::vector<SourceFile>& files, const fs::path& root) {
  Strings violations;
  for (const SourceFile& file : files)
    for (const auto& [header, rooted] : file.includes)
      rooted ? check_rooted(file, header, root, violations) : check_angled(file, header, violations);
  check_spread(files, violations);
  return violations;
}

std::vector<SourceFile> read_layers(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const char* folder : {"autograd", "nn", "data", "train", "visualize", "cli"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ifstream text(entry.path());
      files.push_back(parse(entry.path().lexically_relative(root), text));
    }
  }
  return files;
}

const fs::path kRoot = BERTHA_SOURCE_DIR;

TEST(Layering, EveryFileIncludesOnlyWhatItsLayerMay) {
  const std::vector<SourceFile> files = read_layers(kRoot);
  EXPECT_GT(files.size(), 10u);
  std::ostringstream report;
  for (const std::string& violation : find_violations(files, kRoot)) report << violation << '\n';
  EXPECT_EQ(report.str(), "");
}

/// What is found wrong with one file of the given text.
size_t violations_in(const std::string& path, const std::string& text) {
  std::istringstream stream(text);
  return find_violations({parse(path, stream)}, kRoot).size();
}

TEST(Layering, TheCheckerSeesEachKindOfViolation) {
  EXPECT_EQ(violations_in("nn/new.h", "#include \"autograd/tensor.h\"\n#include <vector>\n#include <sys/stat.h>\n"),
            0u);
  EXPECT_EQ(violations_in("autograd/core/new.h", "#include \"autograd/tensor.h\"\n"), 1u);
  EXPECT_EQ(violations_in("autograd/kernels/new.cpp", "#include \"autograd/tensor.h\"\n"), 1u);
  EXPECT_EQ(violations_in("autograd/ops/new.cpp", "#include \"nn/parameter.h\"\n"), 1u);
  EXPECT_EQ(violations_in("data/new.cpp", "#  include \"autograd/tensor.h\"  // why\n"), 1u);
  EXPECT_EQ(violations_in("nn/new.cpp", "#include \"data/shard.h\"\n"), 1u);
  EXPECT_EQ(violations_in("train/recipes/new.cpp", "#include \"cli/commands.h\"\n"), 1u);
  EXPECT_EQ(violations_in("nn/new.cpp", "#include \"parameter.h\"\n"), 1u) << "not rooted";
  EXPECT_EQ(violations_in("nn/new.cpp", "#include \"nn/missing.h\"\n"), 1u);
  EXPECT_EQ(violations_in("train/new.cpp", "#include <mpi.h>\n"), 1u);
  EXPECT_EQ(violations_in("nn/new.cpp", "#include <hdf5.h>\n"), 1u);
  EXPECT_EQ(violations_in("data/new.h", "#include <hdf5.h>\n"), 1u) << "in a header";
  EXPECT_EQ(violations_in("train/new.cpp", "#include <iostream>\n"), 1u);
  EXPECT_EQ(violations_in("data/new.cpp", "#include <boost/any.hpp>\n"), 1u) << "not in the table";
  EXPECT_EQ(find_violations({{"data/a.cpp", {{"hdf5.h", false}}}, {"data/b.cpp", {{"hdf5.h", false}}}}, kRoot).size(),
            1u);
}

}  // namespace
}  // namespace bertha
