#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "proxy/cli/admin_client.h"
#include "proxy/cli/command.h"
#include "proxy/cli/format.h"
#include "proxy/cli/json_view.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string state(const JsonView& status) {
  if (status.flag("ready")) return "ready";
  std::string reasons;
  for (const auto& reason : status.texts("not_ready")) reasons += (reasons.empty() ? ": " : "; ") + reason;
  return "not ready" + reasons;
}

std::string store(const JsonView& store) {
  auto text = human_bytes(store.number("stored_bytes")) + " stored";
  const auto limit = store.number("max_size_bytes");
  if (limit > 0) text += " of " + human_bytes(limit);
  return text + ", " + human_bytes(store.number("disk_available_bytes")) + " left on the disk";
}

std::string traffic(const JsonView& traffic) {
  return fmt::format("{} from the store, {} while filling, {} uncached ({:.0f}% hits)",
                     human_bytes(traffic.number("hit_bytes")), human_bytes(traffic.number("fill_bytes")),
                     human_bytes(traffic.number("bypass_bytes")), traffic.real("hit_ratio") * 100);
}

std::string tls(const JsonView& tls) {
  const auto connections = tls.at("connections");
  const bool kernel = tls.text("encrypted_by") == "kernel";
  return fmt::format("{}; connections so far: kernel {}, OpenSSL {}",
                     kernel ? "kernel" : "OpenSSL (" + tls.text("why_not_kernel") + ")", connections.number("kernel"),
                     connections.number("openssl"));
}

std::string endpoint_text(const JsonView& endpoint) {
  auto text = endpoint.text("endpoint") + ' ' + endpoint.text("state");
  if (const auto transfers = endpoint.number("transfers"); transfers > 0) {
    text += fmt::format(", {} transfers", transfers);
  }
  if (const auto rate = endpoint.number("bytes_per_second"); rate > 0) text += ", " + human_bytes(rate) + "/s each";
  return text;
}

void append_upstream(Rows& rows, const JsonView& upstream) {
  std::string text = upstream.text("name");
  if (upstream.flag("default")) text += " (default)";
  if (upstream.is_null("reachable")) {
    text += ", not tried yet";
  } else {
    text += upstream.flag("reachable") ? ", reachable" : ", unreachable";
  }
  if (const auto why = upstream.text("last_error"); !why.empty()) text += ": " + why;
  const auto limits = upstream.at("limits").texts("reached");
  if (!limits.empty()) text += fmt::format("; held back by its limit of {}", fmt::join(limits, " and "));
  rows.push_back({"upstream", text});
  for (const auto& endpoint : upstream.items("health")) rows.push_back({"  endpoint", endpoint_text(endpoint)});
}

std::string describe(const JsonView& status) {
  const auto fills = status.at("fills");
  Rows rows{{"state", state(status)},
            {"version", status.text("version")},
            {"uptime", format_duration(std::chrono::seconds(status.number("uptime_seconds")))},
            {"data", status.text("data_folder")},
            {"store", store(status.at("store"))},
            {"served", traffic(status.at("traffic"))},
            {"fills", fmt::format("{} running, {} completed, {} failed, {} not kept, {} suspended; {} wait in line",
                                  fills.number("running"), fills.number("completed"), fills.number("failed"),
                                  fills.number("not_kept"), fills.number("suspended"), fills.number("waiting"))},
            {"connections", std::to_string(status.number("connections"))}};
  if (!status.is_null("tls")) rows.push_back({"tls", tls(status.at("tls"))});
  if (status.flag("offline")) rows.push_back({"offline", "yes: no upstream is asked"});
  for (const auto& upstream : status.items("upstreams")) append_upstream(rows, upstream);
  return format_table(rows);
}

Result<std::string> run(const AdminOptions& options, bool as_json) {
  const auto client = AdminClient::make(options);
  if (!client) return std::unexpected(client.error());
  const auto status = client->get("/api/v1/status");
  if (!status) return std::unexpected(status.error());
  if (as_json) return status->dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return describe(JsonView(*status));
}

}  // namespace

void add_status_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("status", "Show how the running cache is doing");
  const auto options = std::make_shared<AdminOptions>();
  const auto as_json = std::make_shared<bool>(false);
  options->add_to(*command);
  command->add_flag("--json", *as_json, "Print the API's JSON");
  command->callback([&console, options, as_json] { console.finish(run(*options, *as_json)); });
}

}  // namespace paddock
