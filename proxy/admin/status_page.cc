#include "proxy/admin/status_page.h"

#include <spdlog/fmt/fmt.h>
#include <string_view>

#include "proxy/admin/text.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::string_view head = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="10">
<title>paddock</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin-bottom: 1.5em; }
th, td { text-align: left; padding: .15em 1.5em .15em 0; vertical-align: top; }
th { font-weight: 600; }
</style>
)";

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
}

std::string readiness(const StatusReport& report) {
  if (report.not_ready.empty()) return "ready";
  return fmt::format("not ready: {}", fmt::join(report.not_ready, "; "));
}

std::string store_text(const StoreReport& store) {
  const auto limit = store.max_size == 0 ? std::string("no limit") : "of " + human_bytes(store.max_size);
  return fmt::format("{} stored, {}; {} left on the disk", human_bytes(store.stored), limit,
                     human_bytes(store.disk_available));
}

std::string tls_text(const TlsReport& tls) {
  const auto text = tls.kernel ? std::string("kernel") : fmt::format("OpenSSL ({})", tls.why_not_kernel);
  return fmt::format("{}; connections so far: kernel {}, OpenSSL {}", text, tls.kernel_connections,
                     tls.openssl_connections);
}

std::string_view reachability(const UpstreamReport& upstream) {
  if (!upstream.reachable) return "not tried yet";
  return *upstream.reachable ? "reachable" : "unreachable";
}

std::string endpoint_text(const EndpointReport& endpoint) {
  auto text = fmt::format("{} {}", endpoint.host, endpoint.state);
  if (endpoint.transfers > 0) text += fmt::format(", {} transfers", endpoint.transfers);
  if (endpoint.rate > 0) text += fmt::format(", {}/s each", human_bytes(endpoint.rate));
  return text;
}

std::string upstream_state(const UpstreamReport& upstream) {
  std::string text(reachability(upstream));
  for (const auto& endpoint : upstream.health) text += "; " + endpoint_text(endpoint);
  const auto limits = upstream.limits.reached();
  if (!limits.empty()) text += fmt::format("; held back by its limit of {}", fmt::join(limits, " and "));
  return text;
}

std::string upstream_rows(const std::vector<UpstreamReport>& upstreams) {
  std::string out = "<tr><th>upstream</th><th>endpoints</th><th>state</th><th>last error</th></tr>\n";
  for (const auto& upstream : upstreams) {
    out += fmt::format("<tr><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", escape_html(upstream.name),
                       upstream.is_default ? " (default)" : "",
                       escape_html(fmt::format("{}", fmt::join(upstream.endpoints, ", "))),
                       escape_html(upstream_state(upstream)), escape_html(public_message(upstream.last_error)));
  }
  return out;
}

}  // namespace

std::string status_page(const StatusReport& report) {
  const auto& traffic = report.traffic;
  std::string out(head);
  out += fmt::format("<h1>paddock {}</h1>\n<table>\n", escape_html(report.version));
  out += row("state", readiness(report));
  out += row("started", utc_seconds(report.started));
  out += row("listening on", fmt::format("{}", fmt::join(report.listen, ", ")));
  if (report.tls) out += row("tls", tls_text(*report.tls));
  out += row("data folder", report.data_folder);
  out += row("store", store_text(report.store));
  out += row("connections", fmt::format("{}", report.connections));
  out += row("fills", fmt::format("{} running, {} completed, {} failed, {} not kept, {} suspended; {} wait in line",
                                  report.fills_running, report.fills_completed, report.fills_failed,
                                  report.fills_not_kept, report.fills_suspended, report.fills_waiting));
  out += row("served", fmt::format("{} from the store, {} while filling, {} uncached ({:.0f}% hits)",
                                   human_bytes(traffic.hit_bytes), human_bytes(traffic.fill_bytes),
                                   human_bytes(traffic.bypass_bytes), traffic.hit_ratio * 100));
  if (report.offline) out += row("offline", "yes: no upstream is asked");
  out += "</table>\n<table>\n" + upstream_rows(report.upstreams) + "</table>\n";
  out +=
      "<p><a href=\"/api/v1/status\">status</a> · <a href=\"/api/v1/images\">images</a> · "
      "<a href=\"/api/v1/fills\">fills</a> · <a href=\"/metrics\">metrics</a></p>\n</html>\n";
  return out;
}

}  // namespace paddock
