#include "proxy/admin/warm_json.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/admin/text.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;
constexpr JsonLimits body_limits{.depth = 4, .values = 5000};

std::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::invalid_argument, Blame::client, std::move(what));
}

Result<std::vector<std::string>> texts(const nlohmann::json& value, const std::string& name) {
  if (!value.is_array()) return refuse(name + ": want a list of strings");
  std::vector<std::string> out;
  for (const auto& item : value) {
    if (!item.is_string()) return refuse(name + ": want a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

Result<void> take(WarmOrder& order, const std::string& name, const nlohmann::json& value) {
  auto& request = order.request;
  if (name == "images" || name == "platforms") {
    auto list = texts(value, name);
    if (!list) return std::unexpected(std::move(list).error());
    (name == "images" ? request.images : request.platforms) = *std::move(list);
  } else if (name == "rule") {
    if (!value.is_string()) return refuse("rule: want a rule's name");
    request.rule = value.get<std::string>();
  } else if (name == "pin_seconds") {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX)
      return refuse("pin_seconds: want a number");
    request.pin = std::chrono::seconds(value.get<std::int64_t>());
  } else if (name == "dry_run" || name == "ours_only") {
    if (!value.is_boolean()) return refuse(name + ": want true or false");
    (name == "dry_run" ? order.dry_run : request.ours_only) = value.get<bool>();
  } else {
    return refuse(quote(name) +
                  " is not known here: there are images, rule, platforms, pin_seconds, ours_only and dry_run");
  }
  return {};
}

Json seconds_json(const std::optional<std::chrono::seconds>& value) {
  return value ? Json(value->count()) : Json(nullptr);
}

void add_progress(Json& out, const WarmProgress& progress) {
  out["total_bytes"] = progress.total;
  out["stored_bytes"] = progress.stored;
  out["percent"] = progress.total == 0 ? 0 : percent_of(progress.stored, progress.total);  // of what is not known
  out["bytes_per_second"] = progress.rate;
  out["eta_seconds"] = seconds_json(progress.eta);
}

template <typename T>
Json list(const std::vector<T>& items) {
  auto out = Json::array();
  for (const auto& item : items) out.push_back(to_json_report(item));
  return out;
}

Json summary(const WarmJobReport& job) {
  Json out = {{"job", job.id},
              {"state", to_string(job.state)},
              {"rule", job.request.rule.empty() ? Json(nullptr) : Json(job.request.rule)},
              {"platforms", job.request.platforms},
              {"pin_seconds", job.request.pin.count()},
              {"created", utc_seconds(job.created)},
              {"finished", job.finished ? Json(utc_seconds(*job.finished)) : Json(nullptr)},
              {"error", job.error.empty() ? Json(nullptr) : Json(job.error)}};
  add_progress(out, job.progress);
  return out;
}

}  // namespace

Result<WarmOrder> parse_warm_order(std::string_view body) {
  const auto json = parse_strict_json(body, body_limits);
  if (!json) return refuse("the body: " + json.error().context);
  if (!json->is_object()) return refuse("the body: want an object");
  WarmOrder order;
  order.request.platforms.clear();  // a rule has its own
  for (const auto& [name, value] : json->items()) {
    if (auto taken = take(order, name, value); !taken) return std::unexpected(std::move(taken).error());
  }
  if (!order.request.images.empty() && !order.request.rule.empty()) return refuse("give either images or a rule");
  return order;
}

Json to_json_report(const WarmImage& image) {
  Json out = {{"reference", image.reference},
              {"name", image.name.empty() ? Json(nullptr) : Json(image.name)},
              {"digest", image.digest.empty() ? Json(nullptr) : Json(image.digest)},
              {"state", to_string(image.state)},
              {"platforms", image.platforms},
              {"missing_platforms", image.missing_platforms}};
  add_progress(out, image.progress);
  out["error"] = image.error.empty() ? Json(nullptr) : Json(image.error);
  out["nearest"] = image.nearest;
  return out;
}

Json to_json_report(const WarmPlanReport& plan) {
  Json out = {{"images", list(plan.images)},
              {"total_bytes", plan.progress.total},
              {"stored_bytes", plan.progress.stored},
              {"missing_bytes", plan.progress.total - plan.progress.stored},
              {"fits", plan.fit.fits},
              {"room_bytes", plan.fit.room},
              {"remedy", plan.fit.remedy.empty() ? Json(nullptr) : Json(plan.fit.remedy)}};
  return out;
}

Json to_json_report(const WarmJobReport& job) {
  auto out = summary(job);
  out["images"] = list(job.images);
  return out;
}

Json to_json_report(const WarmTicket& ticket) { return {{"job", ticket.id}, {"joined", ticket.joined}}; }

Json to_json_report(const std::vector<WarmJobReport>& jobs) {
  auto out = Json::array();
  for (const auto& job : jobs) {
    auto one = summary(job);
    one["image_count"] = job.images.size();
    out.push_back(std::move(one));
  }
  return {{"jobs", std::move(out)}};
}

std::string to_event(const WarmJobReport& job) {
  return to_json_report(job).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace paddock
