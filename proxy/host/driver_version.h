// DottedVersion: the versions of drivers and of CUDA, "450.80.02": numbers between dots, compared number by number.
// "450.80.02" is 450, 80, 2, so text and floating point would both get it wrong; what is missing counts as 0.
//
// Values; thread-safe. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

class DottedVersion {
 public:
  // invalid_argument for all but one to six numbers of at most nine digits with dots between them.
  static Result<DottedVersion> parse(std::string_view text);
  DottedVersion(std::uint32_t major, std::uint32_t minor);

  [[nodiscard]] std::uint32_t field(std::size_t at) const { return at < fields_.size() ? fields_[at] : 0; }
  [[nodiscard]] std::uint32_t major() const { return field(0); }
  [[nodiscard]] std::uint32_t minor() const { return field(1); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] DottedVersion major_minor() const { return {major(), minor()}; }
  [[nodiscard]] const std::string& text() const { return text_; }  // as it was written

  friend std::strong_ordering operator<=>(const DottedVersion& a, const DottedVersion& b);
  friend bool operator==(const DottedVersion& a, const DottedVersion& b) { return (a <=> b) == 0; }

 private:
  explicit DottedVersion(std::string text) : text_(std::move(text)) {}

  std::vector<std::uint32_t> fields_;
  std::string text_;
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
