#include "proxy/admin/pin_json.h"

#include <nlohmann/json.hpp>

#include "proxy/admin/text.h"
#include "proxy/oci/strict_json.h"
#include "proxy/warm/job_files.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;
constexpr auto most_seconds = static_cast<std::uint64_t>(longest_pin.count());

std::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

}  // namespace

Result<PinOrder> parse_pin_order(std::string_view body) {
  const auto json = parse_strict_json(body, {.depth = 2, .values = 8});
  if (!json) return refuse("the body: " + json.error().context);
  PinOrder order;
  for (const auto& [name, value] : json->items()) {
    if (name == "image" && value.is_string()) {
      order.image = value.get<std::string>();
    } else if (name == "seconds" && value.is_number_unsigned() && value.get<std::uint64_t>() <= most_seconds) {
      order.time = std::chrono::seconds(value.get<std::int64_t>());
    } else {
      return refuse("the body: want {\"image\": \"...\", \"seconds\": number up to a hundred years, or none for ever}");
    }
  }
  if (order.image.empty()) return refuse("image: is missing");
  return order;
}

Json to_json_report(const PinRecord& pin) {
  const auto& [upstream, repository] = pin.repository;
  return {{"image", upstream + "/" + repository + (pin.reference.contains(':') ? "@" : ":") + pin.reference},
          {"digest", pin.manifest.to_string()},
          {"until", pin.until ? Json(utc_seconds(*pin.until)) : Json(nullptr)},
          {"rule", pin.rule.empty() ? Json(nullptr) : Json(pin.rule)}};
}

Json to_json_report(const std::vector<PinRecord>& pins) {
  auto out = Json::array();
  for (const auto& pin : pins) out.push_back(to_json_report(pin));
  return {{"pins", std::move(out)}};
}

}  // namespace paddock
