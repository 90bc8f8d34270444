// Version: numbers between points, compared number by number, as images, toolkits and drivers carry them.
//
//   12   9.13   2.6.2   450.80.02   3.0.0rc1   2.3.0-rc0   5.0.2.alpha005   8.0T13   v1   latest
//
// Missing parts count as 0, so 12 = 12.0. A pre-release comes before its release, in the order of Stage; "latest" comes
// after everything. An immutable value; thread-safe. What is no version parses to nothing.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paddock {

class Version {
 public:
  enum class Stage : std::uint8_t { alpha, test, beta, rc, release };
  static constexpr std::size_t max_parts = 6;

  // Up to max_parts numbers of up to 9 digits; then perhaps one of a, alpha, t, b, beta, rc with its number. Any case.
  static std::optional<Version> parse(std::string_view text);

  [[nodiscard]] bool is_latest() const { return latest_; }
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] std::size_t parts() const { return count_; }  // as many as were written; 0 for "latest"
  [[nodiscard]] std::uint32_t part(std::size_t index) const { return index < max_parts ? parts_[index] : 0; }
  [[nodiscard]] const std::string& to_string() const { return text_; }  // as it was written

  // Whether the parts that `prefix` has are ours too: 2.6.2 begins with 2.6, 3.0.0rc1 with 3.0, and 2.60 not with 2.6.
  [[nodiscard]] bool begins_with(const Version& prefix) const;

  friend std::weak_ordering operator<=>(const Version& a, const Version& b);
  friend bool operator==(const Version& a, const Version& b) { return (a <=> b) == 0; }

 private:
  Version() = default;
  std::string_view take_parts(std::string_view text);
  bool take_stage(std::string_view text);

  std::array<std::uint32_t, max_parts> parts_{};
  std::size_t count_ = 0;
  std::uint32_t stage_number_ = 0;
  Stage stage_ = Stage::release;
  bool latest_ = false;
  std::string text_;
};

// "alpha", "test", "beta", "rc", "release".
std::string_view to_string(Version::Stage stage);

}  // namespace paddock
