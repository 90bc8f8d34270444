// The text of a TagFilter made into steps. See tag_filter.h for the language. Pure; thread-safe.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "proxy/warm/grammar/tag_filter.h"
#include "storage/error.h"

namespace paddock {

// Operands in front of what connects them; none for a blank text. invalid_argument with the column.
Result<std::vector<std::variant<TagTest, Connective>>> parse_filter(std::string_view text);

}  // namespace paddock
