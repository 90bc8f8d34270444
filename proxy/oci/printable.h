// What is put into messages. Text from strangers is made fit for it: short, one line, no terminal tricks, no secrets.
// Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paddock {

// In single quotes; other than printable ASCII becomes '?', the rest is cut off after `limit` bytes.
std::string quote(std::string_view text, std::size_t limit = 80);

// A message as it may leave the process: control characters dropped, user information and queries of URLs (signatures)
// and credentials after "Bearer" and "Basic" hidden, cut at 600 bytes. UTF-8 is left as it is.
std::string public_message(std::string_view text);

// "1.5 GiB", "312 B".
std::string human_bytes(std::uint64_t bytes);

}  // namespace paddock
