// Pins as JSON, and orders for them read from JSON. Pure; thread-safe. parse_pin_order: invalid_argument, a sentence.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalog.h"
#include "storage/error.h"

namespace paddock {

struct PinOrder {
  std::string image;                           // as people write it
  std::optional<std::chrono::seconds> time{};  // for ever without
};

// {"image": "...", "seconds": n}
Result<PinOrder> parse_pin_order(std::string_view body);
nlohmann::ordered_json to_json_report(const PinRecord& pin);
nlohmann::ordered_json to_json_report(const std::vector<PinRecord>& pins);

}  // namespace paddock
