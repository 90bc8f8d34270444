#include "proxy/warm/grammar/filter_words.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using paddock::FilterWord;
using paddock::FilterWords;
using Kind = FilterWord::Kind;

namespace {

std::vector<FilterWord> words_of(std::string_view text) {
  std::vector<FilterWord> words;
  for (FilterWords reader(text); words.empty() || words.back().kind != Kind::end; reader.advance()) {
    words.push_back(reader.current());
    REQUIRE(words.size() < 100);
  }
  return words;
}

}  // namespace

TEST_CASE("a filter is read word by word, with columns from 1") {
  const auto words = words_of("cuda>=11.7 and (os~'a b')");
  const std::vector<std::string_view> texts{"cuda", ">=", "11.7", "and", "(", "os", "~", "a b", ")", ""};
  const std::vector<std::size_t> columns{1, 5, 7, 12, 16, 17, 19, 20, 25, 26};
  REQUIRE(words.size() == texts.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    CAPTURE(i);
    CHECK(words[i].text == texts[i]);
    CHECK(words[i].column == columns[i]);
  }
  CHECK(words[7].kind == Kind::quoted);
}

TEST_CASE("the longest symbol is taken") {
  CHECK(words_of("<=")[0].text == "<=");
  CHECK(words_of("< =")[0].text == "<");
  CHECK(words_of("===")[1].text == "=");
  CHECK(words_of("!=!")[0].text == "!=");
}

TEST_CASE("the end stays the end") {
  FilterWords reader("  ");
  CHECK(reader.current().kind == Kind::end);
  CHECK(reader.current().column == 3);
  reader.advance();
  CHECK(reader.current().kind == Kind::end);
}

TEST_CASE("a quote that is not closed and strange bytes are unknown, and reading ends") {
  CHECK(words_of("'abc")[0].kind == Kind::unknown);
  CHECK(words_of("\"a'")[0].kind == Kind::unknown);
  CHECK(words_of(std::string("\0x", 2))[0].kind == Kind::unknown);
  CHECK(words_of("\xc3\xa4").size() == 3);
  CHECK(words_of("''")[0].kind == Kind::quoted);
}

TEST_CASE("what is quoted is no keyword") {
  CHECK(words_of("and")[0].is("and"));
  CHECK_FALSE(words_of("'and'")[0].is("and"));
  CHECK_FALSE(words_of("")[0].is(""));
}
