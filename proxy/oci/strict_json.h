// JSON from strangers, read with limits: nesting, number of values, no key twice in an object (readers would disagree
// on which one counts). Pure; thread-safe; never throws. RFC 8259.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "storage/error.h"

namespace paddock {

struct JsonLimits {
  std::size_t depth = 64;
  std::size_t values = 500'000;
};

// protocol, blames the upstream; says what is wrong and at which byte.
Result<nlohmann::json> parse_strict_json(std::string_view text, JsonLimits limits = {});

}  // namespace paddock
