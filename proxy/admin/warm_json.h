// Warm-ups as JSON, as deploy/docs/openapi.yaml describes them, and requests for them read from JSON. Pure;
// thread-safe. parse_warm_order: invalid_argument, a sentence that names the member.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "proxy/warm/job.h"
#include "storage/error.h"

namespace paddock {

struct WarmOrder {
  WarmRequest request;
  bool dry_run = false;
};

// {"images": [...] or "rule": "...", "platforms": [...], "pin_seconds": n, "ours_only": false,
// "dry_run": false}; unknown members are errors.
Result<WarmOrder> parse_warm_order(std::string_view body);

nlohmann::ordered_json to_json_report(const WarmImage& image);
nlohmann::ordered_json to_json_report(const WarmPlanReport& plan);
nlohmann::ordered_json to_json_report(const WarmJobReport& job);
nlohmann::ordered_json to_json_report(const WarmTicket& ticket);
nlohmann::ordered_json to_json_report(const std::vector<WarmJobReport>& jobs);  // without their images
// On one line.
std::string to_event(const WarmJobReport& job);

}  // namespace paddock
