// Runs a target on the files of folders, as any compiler builds it: corpus and past crashes are part of the tests.

#include <filesystem>
#include <iterator>
#include <set>
#include <vector>

#include "tests/fuzz/fuzz.h"

int main(int count, char** folders) {
  std::set<std::string> files;
  for (int i = 1; i < count; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(folders[i])) files.insert(entry.path());
  for (const std::string& path : files) {
    std::fprintf(stderr, "%s\n", path.c_str());  // the last one is what ended the program
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  return files.empty() ? 1 : 0;
}
