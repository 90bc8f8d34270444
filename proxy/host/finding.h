// Finding: what one check of this machine found: a line for a person, and how to mend it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paddock {

struct Finding {
  enum class Severity : std::uint8_t { ok, warning, wrong };
  Severity severity = Severity::ok;
  std::string check;     // what was looked at: "disk", "docker"
  std::string text;      // what was found
  std::string remedy{};  // empty when ok
};

using Findings = std::vector<Finding>;

inline Finding fine(std::string check, std::string text) {
  return {Finding::Severity::ok, std::move(check), std::move(text)};
}
inline Finding warning(std::string check, std::string text, std::string remedy) {
  return {Finding::Severity::warning, std::move(check), std::move(text), std::move(remedy)};
}
inline Finding wrong(std::string check, std::string text, std::string remedy) {
  return {Finding::Severity::wrong, std::move(check), std::move(text), std::move(remedy)};
}

inline std::string_view to_string(Finding::Severity severity) {
  if (severity == Finding::Severity::ok) return "ok";
  return severity == Finding::Severity::warning ? "warning" : "wrong";
}

}  // namespace paddock
