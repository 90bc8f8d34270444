#include "proxy/host/driver_version.h"

#include <algorithm>
#include <charconv>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t fields_limit = 6;
constexpr std::size_t digits_limit = 9;

}  // namespace

Result<DottedVersion> DottedVersion::parse(std::string_view text) {
  DottedVersion version{std::string(text)};
  for (std::size_t at = 0;;) {
    const auto end = std::min(text.find('.', at), text.size());
    const auto digits = text.substr(at, end - at);
    std::uint32_t value = 0;
    const auto [read, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.size() > digits_limit || error != std::errc() || read != digits.data() + digits.size() ||
        version.fields_.size() == fields_limit) {
      return fail(ErrorCode::invalid_argument, Blame::client,
                  quote(text, 40) + " is not a version: write numbers and dots, as 470.82.01");
    }
    version.fields_.push_back(value);
    if (end == text.size()) return version;
    at = end + 1;
  }
}

DottedVersion::DottedVersion(std::uint32_t major, std::uint32_t minor)
    : fields_{major, minor}, text_(std::to_string(major) + "." + std::to_string(minor)) {}

std::strong_ordering operator<=>(const DottedVersion& a, const DottedVersion& b) {
  for (std::size_t at = 0; at < std::max(a.size(), b.size()); ++at) {
    if (const auto order = a.field(at) <=> b.field(at); order != 0) return order;
  }
  return std::strong_ordering::equal;
}

Result<DriverVersion> DriverVersion::parse(std::string_view text) {
  auto version = DottedVersion::parse(text);
  if (!version) return std::unexpected(std::move(version).error());
  return DriverVersion(*std::move(version));
}

bool DriverVersion::at_least(const DottedVersion& other) const {
  return is_branch() ? version_.major() >= other.major() : version_ >= other;
}

}  // namespace paddock
