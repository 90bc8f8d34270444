// The part of App that reports: what the admin side shows is read here from the components.
#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/admin/compat_list.h"
#include "proxy/app.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/version.h"

namespace paddock {
namespace {

constexpr std::uint64_t config_limit = std::uint64_t{8} << 20U;  // of an image's configuration, bytes

std::vector<EndpointReport> endpoints_of(const UpstreamSet& set, const std::string& upstream) {
  std::vector<EndpointReport> reports;
  for (const auto& endpoint : set.entries.at(upstream).upstream->endpoints()) {
    reports.push_back({endpoint.host, std::string(to_string(endpoint.state)), endpoint.transfers,
                       static_cast<std::uint64_t>(endpoint.rate)});
  }
  return reports;
}

LimitReport limits_of(const UpstreamSet& set, const UpstreamSet::Configured& upstream) {
  const auto& entry = set.entries.at(upstream.name);
  LimitReport report{.max_connections = upstream.max_connections};
  if (entry.limits.budget) report.connections = entry.limits.budget->used();
  if (entry.bandwidth) {
    report.bandwidth = entry.bandwidth->rate();
    // Whoever reads on now would have to wait.
    report.bandwidth_reached = entry.bandwidth->take(0, std::chrono::steady_clock::now()).count() > 0;
  }
  return report;
}

std::uint64_t rate_of(const FillStatus& fill) {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - fill.started;
  return since.count() > 0 ? static_cast<std::uint64_t>(static_cast<double>(fill.received) / since.count()) : 0;
}

}  // namespace

// As the bytes are counted: by host.
void App::declare_upstreams() {
  const auto set = upstreams_->get();
  for (const auto& upstream : set->configured) {
    std::vector<std::string> hosts;
    for (auto& endpoint : endpoints_of(*set, upstream.name)) hosts.push_back(std::move(endpoint.host));
    metrics_.declare_upstream(upstream.name, hosts);
  }
}

std::vector<std::string> App::not_ready() const {
  if (draining_) return {"draining"};
  if (!ready_) {
    const std::uint64_t of = to_check_;
    if (of == 0) return {"recovering"};
    return {fmt::format("rebuilding the catalog: {} of {} blobs", checked_.load(), of)};
  }
  if (auto there = storage_->present(); !there) {
    const bool replaced = there.error().code == ErrorCode::conflict;
    return unusable(replaced ? "the data folder was replaced" : "the data folder is gone or cannot be read",
                    there.error());
  }
  if (auto readable = storage_->readable(); !readable) return unusable("the catalog cannot be read", readable.error());
  return {};
}

// Anybody may ask whether we are ready: which folder and why is for the log.
std::vector<std::string> App::unusable(std::string reason, const Error& error) const {
  const MutexLock lock(unusable_mutex_);
  if (unusable_reports_.happened(std::chrono::steady_clock::now())) spdlog::error("not ready: {}", error.context);
  return {std::move(reason)};
}

AdminData App::admin_data() {
  AdminData data;
  data.not_ready = [this] { return not_ready(); };
  data.status = [this] { return status(); };
  data.images = [this](const ImageQuery& query) -> Result<ImagePage> {
    if (!ready_) return recovering();
    return list_images(storage_->catalog(), query);
  };
  data.image = [this](const std::string& reference) -> Result<ImageReport> {
    if (!ready_) return recovering();
    return find_image(storage_->catalog(), reference, upstreams_->get()->default_name,
                      [this](const Digest& digest) { return on_its_way(digest); });
  };
  data.compat = [this](const CompatQuery& query) -> Result<CompatPage> {
    if (!ready_) return recovering();
    const auto read = [this](const Digest& digest) { return storage_->peek(digest, config_limit); };
    return list_compat(storage_->catalog(), read, query);
  };
  data.fills = [this] { return fill_reports(); };
  data.metrics = [this] { return metrics_.text(); };
  add_pins(data);
  data.warm = warm_data();
  return data;
}

std::optional<BlobProgress> App::on_its_way(const Digest& digest) const {
  const auto fill = fills_->find(digest);
  if (!fill) return std::nullopt;
  const auto status = fill->status();
  return BlobProgress{status.received, rate_of(status)};
}

StatusReport App::status() {
  StatusReport report;
  report.version = build_version();
  report.commit = build_commit();
  report.started = started_;
  report.uptime = clock_.wall() - started_;
  report.data_folder = storage_->root().string();
  report.not_ready = not_ready();
  report.listen = registry_server_->addresses();
  report.tls = tls_report();
  const auto usage = storage_->space().usage();
  report.store = {usage.stored,     usage.reserved,       usage.max_size,           usage.min_free,
                  usage.disk_total, usage.disk_available, storage_->evicted().bytes};
  if (ready_) {
    const auto set = upstreams_->get();
    for (const auto& upstream : set->configured) {
      const auto health = health_.get(upstream.name);
      report.upstreams.push_back({.name = upstream.name,
                                  .endpoints = upstream.endpoints,
                                  .reachable = health ? std::optional(health->reachable) : std::nullopt,
                                  .last_error = health ? health->last_error : "",
                                  .is_default = upstream.name == set->default_name,
                                  .health = endpoints_of(*set, upstream.name),
                                  .limits = limits_of(*set, upstream)});
    }
    report.offline = set->offline;
    const auto fills = fills_->stats();
    report.fills_running = fills.running;
    report.fills_completed = fills.completed;
    report.fills_failed = fills.failed;
    report.fills_not_kept = fills.not_kept;
    report.fills_suspended = fills.suspended;
    report.fills_waiting = fills.waiting;
    report.recovery = recovery_;
  }
  const auto totals = metrics_.totals();
  report.traffic = {totals.requests, totals.hit_bytes, totals.fill_bytes, totals.bypass_bytes, totals.hit_ratio()};
  report.connections = registry_server_->stats().connections;
  return report;
}

std::optional<TlsReport> App::tls_report() const {
  const auto tls = tls_.load();
  if (!tls) return std::nullopt;
  const auto stats = registry_server_->stats();
  return TlsReport{*tls == KernelTls::used, std::string(why_not(*tls)), stats.tls_by_kernel, stats.tls_by_openssl};
}

std::vector<FillReport> App::fill_reports() const {
  std::vector<FillReport> reports;
  if (!ready_) return reports;
  for (auto& fill : fills_->fills()) {
    const auto rate = rate_of(fill);
    reports.push_back({fill.digest, std::move(fill.upstream), std::move(fill.repository), std::move(fill.source),
                       std::move(fill.state), fill.received, fill.size, fill.readers, rate});
  }
  return reports;
}

Readings App::readings() {
  Readings readings;
  readings.endpoint_states = endpoint_states;
  const auto usage = storage_->space().usage();
  readings.store_stored = usage.stored;
  readings.store_reserved = usage.reserved;
  readings.store_limit = usage.max_size;
  readings.disk_available = usage.disk_available;
  readings.evicted_bytes = storage_->evicted().bytes;
  readings.connections = registry_server_->stats().connections;
  readings.tls = tls_report();
  put_warm_readings(readings);
  if (ready_) {
    const auto fills = fills_->stats();
    readings.fills_running = fills.running;
    readings.fills_completed = fills.completed;
    readings.fills_failed = fills.failed;
    readings.fills_not_kept = fills.not_kept;
    readings.fills_suspended = fills.suspended;
    readings.fills_waiting = fills.waiting;
    readings.fills_resumed = fills.resumed;
    readings.verify_failures = fills.verify_failures + uncached_->wrong();
    const auto set = upstreams_->get();
    for (const auto& upstream : set->configured) {
      readings.upstreams.push_back({upstream.name, endpoints_of(*set, upstream.name), limits_of(*set, upstream)});
    }
  }
  return readings;
}

}  // namespace paddock
