#include "proxy/warm/grammar/filter_words.h"

#include <algorithm>
#include <array>

namespace paddock {
namespace {

using Kind = FilterWord::Kind;

// Longer ones first. A lone '=' is one, so that the error can speak of it.
constexpr std::array<std::string_view, 14> symbols{"==", "!=", "<=", ">=", "&&", "||", "<",
                                                   ">",  "~",  "(",  ")",  ",",  "=",  "!"};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '+' || c == '-';
}

}  // namespace

FilterWord FilterWords::read() const {
  const std::string_view rest = text_.substr(position_);
  const std::size_t column = position_ + 1;
  if (rest.empty()) return {Kind::end, rest, column};
  const auto letters = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_word_character) - rest.begin());
  if (letters > 0) return {Kind::word, rest.substr(0, letters), column};
  if (rest.front() == '\'' || rest.front() == '"') {
    const std::size_t close = rest.find(rest.front(), 1);
    if (close == std::string_view::npos) return {Kind::unknown, rest, column};
    return {Kind::quoted, rest.substr(1, close - 1), column};
  }
  for (const std::string_view symbol : symbols) {
    if (rest.starts_with(symbol)) return {Kind::symbol, rest.substr(0, symbol.size()), column};
  }
  return {Kind::unknown, rest.substr(0, 1), column};
}

void FilterWords::advance() {
  position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size());
  current_ = read();
  position_ += current_.text.size() + (current_.kind == Kind::quoted ? 2 : 0);
}

}  // namespace paddock
