#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bertha {

enum class Casing { kCased, kUncased };
enum class Sources { kIgnored, kTracked };

/// Cleaned words, their bytes one after another.
struct Words {
  struct Word {
    size_t end = 0;  // in `bytes`; a word begins where the one before it ends
    int64_t code_points = 0;
  };
  std::string bytes;  // UTF-8
  std::vector<Word> words;
  std::vector<int64_t> sources;  // where tracked: for each byte the code point of the text, counted from 0, it is from
};

/// BERT's basic tokenisation: leaves out control characters, ends words at blanks, makes every punctuation mark and CJK
/// ideograph a word of its own and, uncased, strips accents and lowercases.
/// Source: Devlin et al. 2018 (arXiv:1810.04805), published code; details as in Hugging Face tokenizers' BertNormalizer
/// and BertPreTokenizer.
class WordSplitter {
 public:
  WordSplitter(Casing casing, Sources sources) : casing_(casing), sources_(sources) {}

  /// The words of `text`, valid until the next call.
  /// Throws DamagedFileError naming the first byte that is not UTF-8.
  const Words& split(std::string_view text);

 private:
  struct Mark {  // a combining character waiting to be put into canonical order
    char32_t code_point;
    int combining_class;
    bool heads_source;  // the first of what its source decomposes into
    int64_t source;
  };

  void add_ascii_run(std::string_view run);
  void add(char32_t code_point);
  void add_decomposed(char32_t code_point);
  void add_marks();
  void add_plain(char32_t code_point, int64_t source);
  void append(char32_t code_point, int64_t source);
  void end_word();

  Casing casing_;
  Sources sources_;
  Words words_;
  std::vector<Mark> marks_;
  int64_t position_ = 0;     // of the current code point in the text
  int64_t code_points_ = 0;  // of the word that is growing
};

}  // namespace bertha
