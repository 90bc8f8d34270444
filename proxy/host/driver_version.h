// DottedVersion: the versions of drivers and of CUDA, "450.80.02": a Version of numbers alone. "450.80.02" is 450, 80,
// 2, so text and floating point would both get it wrong; what is missing counts as 0.
//
// Values; thread-safe. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/oci/version.h"
#include "storage/error.h"

namespace paddock {

class DottedVersion {
 public:
  // invalid_argument for all but one to six numbers of at most nine digits with dots between them.
  static Result<DottedVersion> parse(std::string_view text);
  DottedVersion(std::uint32_t major, std::uint32_t minor);

  [[nodiscard]] std::uint32_t field(std::size_t at) const { return version_.part(at); }
  [[nodiscard]] std::uint32_t major() const { return field(0); }
  [[nodiscard]] std::uint32_t minor() const { return field(1); }
  [[nodiscard]] std::size_t size() const { return version_.parts(); }
  [[nodiscard]] DottedVersion major_minor() const { return {major(), minor()}; }
  [[nodiscard]] const std::string& text() const { return version_.to_string(); }  // as it was written

  friend auto operator<=>(const DottedVersion& a, const DottedVersion& b) = default;

 private:
  explicit DottedVersion(Version version) : version_(std::move(version)) {}

  Version version_;
};

using CudaVersion = DottedVersion;

// A driver's version. A number alone ("470", as people name a branch) means any release of that branch.
class DriverVersion {
 public:
  static Result<DriverVersion> parse(std::string_view text);
  explicit DriverVersion(DottedVersion version) : version_(std::move(version)) {}

  [[nodiscard]] bool is_branch() const { return version_.size() == 1; }
  // Of a branch: whether some release of it is.
  [[nodiscard]] bool at_least(const DottedVersion& other) const;
  // Of a branch: whether every release of it is.
  [[nodiscard]] bool surely_at_least(const DottedVersion& other) const { return version_ >= other; }
  [[nodiscard]] const DottedVersion& version() const { return version_; }
  [[nodiscard]] const std::string& text() const { return version_.text(); }

 private:
  DottedVersion version_;
};

}  // namespace paddock
