// JsonView: reads members of a server's answer without trusting its shape: what is absent or of another type reads as
// empty, zero or false, so that a newer or older server is still shown.
// A view into JSON that must outlive it. Never throws.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace paddock {

class JsonView {
 public:
  explicit JsonView(const nlohmann::ordered_json& json) : json_(&json) {}

  [[nodiscard]] JsonView at(const char* name) const {
    static const nlohmann::ordered_json null;
    if (!json_->is_object()) return JsonView(null);
    const auto found = json_->find(name);
    return JsonView(found == json_->end() ? null : *found);
  }
  [[nodiscard]] std::string text(const char* name) const {
    const auto* value = at(name).json_;
    return value->is_string() ? value->get<std::string>() : std::string();
  }
  [[nodiscard]] std::uint64_t number(const char* name) const {
    const auto* value = at(name).json_;
    return value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
  }
  [[nodiscard]] double real(const char* name) const {
    const auto* value = at(name).json_;
    return value->is_number() ? value->get<double>() : 0.0;
  }
  [[nodiscard]] bool flag(const char* name) const {
    const auto* value = at(name).json_;
    return value->is_boolean() && value->get<bool>();
  }
  [[nodiscard]] bool is_null(const char* name) const { return at(name).json_->is_null(); }
  [[nodiscard]] std::vector<JsonView> items(const char* name) const {
    std::vector<JsonView> out;
    const auto* value = at(name).json_;
    if (!value->is_array()) return out;
    for (const auto& item : *value) out.emplace_back(item);
    return out;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> out;
    for (const auto& item : items(name)) {
      if (item.json_->is_string()) out.push_back(item.json_->get<std::string>());
    }
    return out;
  }

 private:
  const nlohmann::ordered_json* json_;
};

}  // namespace paddock
