#include "proxy/admin/report_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/admin/text.h"
#include "proxy/host/compat_json.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

Json time_json(const std::optional<WallTime>& time) { return time ? Json(utc_seconds(*time)) : Json(nullptr); }

template <typename T, typename F>
Json array(const std::vector<T>& items, F convert) {
  auto out = Json::array();
  for (const auto& item : items) out.push_back(convert(item));
  return out;
}

Json store_json(const StoreReport& store) {
  return {{"stored_bytes", store.stored},         {"reserved_bytes", store.reserved},
          {"max_size_bytes", store.max_size},     {"min_free_bytes", store.min_free},
          {"disk_total_bytes", store.disk_total}, {"disk_available_bytes", store.disk_available},
          {"evicted_bytes", store.evicted}};
}

Json endpoint_json(const EndpointReport& endpoint) {
  return {{"endpoint", endpoint.host},
          {"state", endpoint.state},
          {"transfers", endpoint.transfers},
          {"bytes_per_second", endpoint.rate > 0 ? Json(endpoint.rate) : Json(nullptr)}};
}

Json limits_json(const LimitReport& limits) {
  return {{"connections", limits.connections},
          {"max_connections", limits.max_connections},
          {"bandwidth", limits.bandwidth},
          {"reached", limits.reached()}};
}

Json upstream_json(const UpstreamReport& upstream) {
  return {{"name", upstream.name},
          {"endpoints", upstream.endpoints},
          {"default", upstream.is_default},
          {"reachable", upstream.reachable ? Json(*upstream.reachable) : Json(nullptr)},
          {"last_error", upstream.last_error},
          {"health", array(upstream.health, endpoint_json)},
          {"limits", limits_json(upstream.limits)}};
}

Json traffic_json(const TrafficReport& traffic) {
  return {{"requests", traffic.requests},
          {"hit_bytes", traffic.hit_bytes},
          {"fill_bytes", traffic.fill_bytes},
          {"bypass_bytes", traffic.bypass_bytes},
          {"hit_ratio", traffic.hit_ratio}};
}

Json tls_json(const std::optional<TlsReport>& tls) {
  if (!tls) return nullptr;
  return {{"encrypted_by", tls->kernel ? "kernel" : "openssl"},
          {"why_not_kernel", tls->kernel ? Json(nullptr) : Json(tls->why_not_kernel)},
          {"connections", {{"kernel", tls->kernel_connections}, {"openssl", tls->openssl_connections}}}};
}

// 0 to 100, one decimal; what is not known has nothing.
double percent(std::uint64_t there, std::uint64_t total, bool complete) {
  if (complete) return 100;
  return total == 0 ? 0 : std::min(percent_of(there, total), 99.9);
}

Json platform_json(const PlatformReport& platform) {
  return {{"platform", platform.name},
          {"digest", platform.digest.to_string()},
          {"present", platform.present},
          {"total_bytes", platform.total},
          {"stored_bytes", platform.stored},
          {"percent", percent(platform.stored + platform.coming, platform.total, platform.complete)},
          {"complete", platform.complete}};
}

// All that is known of it is there: platforms that nobody asked for do not count.
bool is_ready(const ImageReport& report) {
  const auto present = std::ranges::count_if(report.platforms, &PlatformReport::present);
  const auto complete = std::ranges::count_if(report.platforms, &PlatformReport::complete);
  return complete > 0 && complete == present;
}

Json eta_json(const ImageReport& report) {
  const auto there = report.stored + report.coming;
  if (is_ready(report)) return 0;
  return report.rate == 0 || report.total <= there ? Json(nullptr) : Json((report.total - there) / report.rate + 1);
}

Json pin_json(const PinRecord& pin) {
  return {{"reference", pin.reference},
          {"until", time_json(pin.until)},
          {"rule", pin.rule.empty() ? Json(nullptr) : Json(pin.rule)}};
}

Json recovery_json(const std::optional<RecoveryReport>& report) {
  if (!report) return nullptr;
  return {{"rebuilt", report->rebuilt},
          {"blobs", report->blobs},
          {"bytes", report->bytes},
          {"manifests", report->manifests},
          {"tags", report->tags},
          {"pins", report->pins},
          {"added_rows", report->added_rows},
          {"erased_rows", report->erased_rows},
          {"removed_temporaries", report->removed_temporaries},
          {"quarantined", report->quarantined},
          {"unreadable", report->unreadable},
          {"broken_records", report->broken_records},
          {"dropped_records", report->dropped_records},
          {"milliseconds", report->duration.count()}};
}

Json compat_json(const CompatReport& report) {
  Json out = {{"name", report.name}, {"platform", report.platform}, {"digest", report.digest.to_string()}};
  out.update(needs_json(report.needs));
  if (report.verdict) {
    out.update(verdict_json(*report.verdict));
  } else {
    out.update(Json{{"answer", nullptr}, {"reasons", {"its configuration is not stored, and its tag names no CUDA"}}});
  }
  return out;
}

}  // namespace

Json to_json_report(const StatusReport& report) {
  return {{"version", report.version},
          {"commit", report.commit},
          {"ready", report.not_ready.empty()},
          {"not_ready", report.not_ready},
          {"started", utc_seconds(report.started)},
          {"uptime_seconds", report.uptime.count()},
          {"data_folder", report.data_folder},
          {"listen", report.listen},
          {"tls", tls_json(report.tls)},
          {"offline", report.offline},
          {"store", store_json(report.store)},
          {"upstreams", array(report.upstreams, upstream_json)},
          {"fills",
           {{"running", report.fills_running},
            {"completed", report.fills_completed},
            {"failed", report.fills_failed},
            {"not_kept", report.fills_not_kept},
            {"suspended", report.fills_suspended},
            {"waiting", report.fills_waiting}}},
          {"traffic", traffic_json(report.traffic)},
          {"connections", report.connections},
          {"recovery", recovery_json(report.recovery)}};
}

Json to_json_report(const ImageReport& report) {
  return {{"name", report.name()},
          {"upstream", report.repository.upstream},
          {"repository", report.repository.repository},
          {"tag", report.tag.empty() ? Json(nullptr) : Json(report.tag)},
          {"digest", report.digest.to_string()},
          {"media_type", report.media_type},
          {"total_bytes", report.total},
          {"stored_bytes", report.stored},
          {"complete", report.complete},
          {"state", is_ready(report) ? "complete" : "partial"},
          {"percent", percent(report.stored + report.coming, report.total, is_ready(report))},
          {"bytes_per_second", report.rate},
          {"eta_seconds", eta_json(report)},
          {"last_used", time_json(report.last_used)},
          {"changed", time_json(report.changed)},
          {"validated", time_json(report.validated)},
          {"pins", array(report.pins, pin_json)},
          {"platforms", array(report.platforms, platform_json)}};
}

Json to_json_report(const FillReport& report) {
  return {{"digest", report.digest.to_string()},
          {"upstream", report.upstream},
          {"repository", report.repository},
          {"source", report.source},
          {"state", report.state},
          {"received_bytes", report.received},
          {"size_bytes", report.size ? Json(*report.size) : Json(nullptr)},
          {"bytes_per_second", report.rate},
          {"readers", report.readers}};
}

Json to_json_report(const ImagePage& page) {
  Json out = {{"images", array(page.images, [](const ImageReport& image) { return to_json_report(image); })}};
  if (page.more && !page.images.empty()) out["next"] = page.images.back().name();
  return out;
}

Json to_json_report(const std::vector<FillReport>& fills) {
  return {{"fills", array(fills, [](const FillReport& fill) { return to_json_report(fill); })}};
}

Json to_json_report(const CompatPage& page) {
  auto out = host_json(page.host);
  out.erase("source");
  out.erase("gpus");
  out["images"] = array(page.images, compat_json);
  if (!page.next.empty()) out["next"] = page.next;
  return out;
}

std::string to_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace paddock
