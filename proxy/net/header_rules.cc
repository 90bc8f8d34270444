#include "proxy/net/header_rules.h"

#include <algorithm>
#include <array>

namespace paddock {
namespace {

// Every byte of every header is looked up here.
using Bytes = std::array<bool, 256>;

constexpr Bytes bytes_that(auto rule) {
  Bytes bytes{};
  for (std::size_t byte = 0; byte < bytes.size(); ++byte) bytes[byte] = rule(static_cast<unsigned char>(byte));
  return bytes;
}

constexpr Bytes token = bytes_that([](unsigned char byte) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         marks.contains(static_cast<char>(byte));
});
constexpr Bytes field_value =
    bytes_that([](unsigned char byte) { return (byte >= 0x20 && byte != 0x7F) || byte == '\t'; });

bool all_in(const Bytes& allowed, std::string_view text) {
  return std::ranges::all_of(text, [&](char c) { return allowed[static_cast<unsigned char>(c)]; });
}

}  // namespace

bool is_token(std::string_view name) { return !name.empty() && all_in(token, name); }

bool is_field_value(std::string_view value) { return all_in(field_value, value); }

}  // namespace paddock
