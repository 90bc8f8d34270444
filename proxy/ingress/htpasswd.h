// Htpasswd: names and passwords as `htpasswd -B` (apache2-utils) writes them, a line each: NAME:BCRYPT.
//
// Only bcrypt ($2a$, $2b$, $2y$) is taken: the older forms are broken in minutes. Blank lines and those that begin with
// # are passed over. Immutable, so thread-safe. Errors of parse: invalid_argument, names the line.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "storage/error.h"

namespace paddock {

class Htpasswd {
 public:
  static constexpr std::size_t file_limit = std::size_t{1} << 20U;  // bytes

  static Result<Htpasswd> parse(std::string_view text);

  // Takes the processor for tenths of a second, as bcrypt is meant to; for a name that there is not as long as for the
  // dearest. Of a password the first 72 bytes count.
  [[nodiscard]] bool verify(const std::string& user, const std::string& password) const;
  friend bool operator==(const Htpasswd&, const Htpasswd&) = default;

 private:
  std::map<std::string, std::string, std::less<>> hashes_;  // by name
  std::string dearest_;                                     // of them
};

}  // namespace paddock
