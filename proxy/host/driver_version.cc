#include "proxy/host/driver_version.h"

#include "proxy/oci/printable.h"

namespace paddock {

Result<DottedVersion> DottedVersion::parse(std::string_view text) {
  if (text.find_first_not_of("0123456789.") == text.npos) {
    if (auto version = Version::parse(text)) return DottedVersion(*std::move(version));
  }
  return fail(ErrorCode::invalid_argument, Blame::client,
              quote(text, 40) + " is not a version: write numbers and dots, as 470.82.01");
}

DottedVersion::DottedVersion(std::uint32_t major, std::uint32_t minor)
    : version_(Version::parse(std::to_string(major) + "." + std::to_string(minor)).value()) {}

Result<DriverVersion> DriverVersion::parse(std::string_view text) {
  auto version = DottedVersion::parse(text);
  if (!version) return std::unexpected(std::move(version).error());
  return DriverVersion(*std::move(version));
}

bool DriverVersion::at_least(const DottedVersion& other) const {
  return is_branch() ? version_.major() >= other.major() : version_ >= other;
}

}  // namespace paddock
