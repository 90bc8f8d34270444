// Members of an engine's JSON without trust in its shape: what is absent or of another type reads as empty.
// Pure; thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace paddock {

// Null where there is none.
inline const nlohmann::json& member(const nlohmann::json& json, const char* name) {
  static const nlohmann::json null;
  const auto found = json.find(name);
  return found == json.end() ? null : *found;
}

inline std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline std::vector<std::string> texts_of(const nlohmann::json& value) {
  std::vector<std::string> out;
  if (!value.is_array()) return out;
  for (const auto& item : value) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

}  // namespace paddock
