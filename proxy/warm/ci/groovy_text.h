// Takes Groovy text apart into words, strings and signs, without comments: enough of it for Jenkinsfiles.
// Linear in the text. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paddock::ci {

struct GroovyToken {
  enum class Kind : std::uint8_t { word, text, sign };
  Kind kind = Kind::sign;
  std::string text;           // of a string: without quotes; a '$' that is none is `literal_dollar`
  int line = 1;               // where it begins
  bool interpolated = false;  // "..." and """...""": its variables are Groovy's

  [[nodiscard]] bool is(std::string_view what) const { return kind != Kind::text && text == what; }
  [[nodiscard]] bool is_text() const { return kind == Kind::text; }
};

std::vector<GroovyToken> split_groovy(std::string_view text);

}  // namespace paddock::ci
