// The words of a filter text, one after the other. Pure; a reader belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paddock {

struct FilterWord {
  enum class Kind : std::uint8_t {
    word,    // letters, digits and _ . + -
    quoted,  // text is what is inside of '' or ""
    symbol,  // an operator, a parenthesis or a comma
    end,
    unknown,  // no such character, or a quote that is not closed
  };
  Kind kind = Kind::end;
  std::string_view text;   // into the filter
  std::size_t column = 1;  // in bytes, from 1

  // A keyword or a symbol, never something quoted.
  [[nodiscard]] bool is(std::string_view what) const {
    return (kind == Kind::word || kind == Kind::symbol) && text == what;
  }
};

class FilterWords {
 public:
  explicit FilterWords(std::string_view text) : text_(text) { advance(); }
  [[nodiscard]] const FilterWord& current() const { return current_; }
  void advance();

 private:
  [[nodiscard]] FilterWord read() const;
  std::string_view text_;
  std::size_t position_ = 0;
  FilterWord current_;
};

}  // namespace paddock
