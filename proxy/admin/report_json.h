// The reports as JSON, as deploy/docs/openapi.yaml describes them. Times are RFC 3339 in UTC, sizes bytes.
// Pure; thread-safe. Text that is not UTF-8 is replaced when dumped (to_text), never an exception.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "proxy/admin/compat_list.h"
#include "proxy/admin/reports.h"

namespace paddock {

nlohmann::ordered_json to_json_report(const StatusReport& report);
nlohmann::ordered_json to_json_report(const ImageReport& report);
nlohmann::ordered_json to_json_report(const FillReport& report);
// {"images": [...], "next": "..."}; `next` is what `after` takes, absent on the last page.
nlohmann::ordered_json to_json_report(const ImagePage& page);
nlohmann::ordered_json to_json_report(const std::vector<FillReport>& fills);
// {"driver", "cuda", "images": [...], "next"}; `answer` is null where nothing is known of what an image needs.
nlohmann::ordered_json to_json_report(const CompatPage& page);
std::string to_text(const nlohmann::ordered_json& json);

}  // namespace paddock
