// The part of TOML 1.0 that container engines' configuration files are written in: tables, arrays of tables, keys with
// strings, booleans and arrays of strings. Other values are passed over; what is no TOML is an error with its line.
// Pure; thread-safe. Errors: invalid_argument.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/error.h"

namespace paddock {

using TomlValue = std::variant<std::monostate, std::string, bool, std::vector<std::string>>;  // monostate: another kind

// A table as it stands in the file. Of an array of tables each element is one; its own come after it.
struct TomlTable {
  std::vector<std::string> path;  // empty: what stands before the first header
  bool element = false;           // [[...]]
  std::map<std::string, TomlValue, std::less<>> values{};

  [[nodiscard]] std::string text(std::string_view key) const;  // empty when absent or of another kind
  [[nodiscard]] bool flag(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return values.contains(key); }
};

// In the order of the file; the first is always the one without a header.
Result<std::vector<TomlTable>> parse_toml(std::string_view text);

}  // namespace paddock
