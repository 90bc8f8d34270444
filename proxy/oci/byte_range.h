// The Range header of a blob request, decided without I/O. RFC 9110, 14.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paddock {

// Bytes [first, last], both inclusive and below the size.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  [[nodiscard]] std::uint64_t length() const { return last - first + 1; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct RangeDecision {
  enum class Kind { whole, partial, unsatisfiable };
  Kind kind = Kind::whole;
  ByteRange range{};  // for partial
  friend bool operator==(const RangeDecision&, const RangeDecision&) = default;
};

// Malformed and multiple ranges are ignored, as the RFC allows: the whole is sent. One that ends before it begins is
// unsatisfiable, as the OCI's conformance suite wants it. `if_range` is compared with `etag` (strong comparison; a date
// never matches).
RangeDecision decide_range(std::optional<std::string_view> range, std::optional<std::string_view> if_range,
                           std::string_view etag, std::uint64_t size);

std::string content_range(ByteRange range, std::uint64_t size);  // "bytes 0-9/100"
std::string unsatisfied_content_range(std::uint64_t size);       // "bytes */100"

// What an upstream's Content-Range says; nothing when malformed. `size` is absent for '*'.
struct ContentRange {
  ByteRange range;
  std::optional<std::uint64_t> size;
};
std::optional<ContentRange> parse_content_range(std::string_view value);

// If-None-Match against the entity tag (weak comparison; lists and '*').
bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace paddock
