// Text that leaves us: for logs, terminals, HTML and JSON. What strangers sent is made harmless here.
// Pure functions; thread-safe; never fail.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace paddock {

// Printable ASCII: other bytes as \xNN, quotes and backslashes escaped; cut after `limit` bytes of input, which "..."
// then shows. So one record stays one line, and a terminal shows text only.
std::string escape_hostile(std::string_view text, std::size_t limit);
std::string escape_html(std::string_view text);
// A JSON string with its quotes, ASCII only; broken UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);
// RFC 3339 in UTC: "2026-01-02T03:04:05Z", or with milliseconds.
std::string utc_seconds(std::chrono::system_clock::time_point time);
std::string utc_milliseconds(std::chrono::system_clock::time_point time);
// 0 to 100, one decimal; 100 only when all is there.
double percent_of(std::uint64_t part, std::uint64_t whole);

}  // namespace paddock
