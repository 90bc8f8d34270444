// TagFilter: a condition over the fields of a tag, as rules and commands have it:
//
//   cuda >= 11.7 and version ~ 2.6 and flavour != dev
//   device in (npu, xpu) or not (has cuda)
//
// `not` binds closer than `and`, that closer than `or`. == != < <= > >= compare versions number by number, names
// without regard to case; ~ holds for what begins with the value (2.6.2 with 2.6); `in` is == with any of a list. What
// is unknown is equal to nothing, so of all comparisons only != and `not in` hold for it. deploy/docs/filters.md has
// the grammar. A value; immutable, so thread-safe. Parsing takes texts up to 2048 bytes and 32 levels deep.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/warm/grammar/tag_fields.h"
#include "storage/error.h"

namespace paddock {

// Holds when it does so for any of the values; `known` needs none. Names are lower case.
struct TagTest {
  enum class Comparison : std::uint8_t { known, equal, begins_with, less, less_or_equal, greater, greater_or_equal };
  const TagField* field = nullptr;
  Comparison comparison = Comparison::known;
  std::vector<std::variant<Version, std::string>> values{};
};

enum class Connective : std::uint8_t { negation, both, either };

class TagFilter {
 public:
  TagFilter() = default;  // holds for every tag, as a blank text does
  // invalid_argument, blames the client: names the column, what was found there and what was expected.
  static Result<TagFilter> parse(std::string_view text);

  [[nodiscard]] bool matches(const TagFields& fields) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::variant<TagTest, Connective>> steps_;  // operands in front of what connects them
};

}  // namespace paddock
