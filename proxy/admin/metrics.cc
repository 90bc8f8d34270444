#include "proxy/admin/metrics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <set>
#include <utility>

#include "proxy/admin/process_info.h"
#include "storage/mutex.h"

namespace paddock {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;

// The routes of proxy/registry and of the admin side; "other" is last.
constexpr std::array<std::string_view, 11> routes{"base",      "connect", "catalog", "manifest", "blob", "tags",
                                                  "referrers", "upload",  "unknown", "admin",    "other"};
constexpr std::size_t label_limit = 64;  // different upstreams, or pairs of upstream and endpoint

std::size_t route_index(std::string_view route) {
  return static_cast<std::size_t>(std::find(routes.begin(), routes.end() - 1, route) - routes.begin());
}

constexpr int first_code = 100, last_code = 599;

std::string code_label(int status) {
  return status >= first_code && status <= last_code ? std::to_string(status) : "none";
}

Histogram::BucketBoundaries latency_buckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

using Sample = std::pair<prometheus::Labels, double>;

MetricFamily family(std::string name, std::string help, MetricType type, const std::vector<Sample>& samples) {
  MetricFamily out{std::move(name), std::move(help), type, {}};
  for (const auto& [labels, value] : samples) {
    prometheus::ClientMetric metric;
    for (const auto& [label, text] : labels) metric.label.push_back({label, text});
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    out.metric.push_back(std::move(metric));
  }
  return out;
}

MetricFamily gauge(std::string name, std::string help, double value) {
  return family(std::move(name), std::move(help), MetricType::Gauge, {{{}, value}});
}

MetricFamily counter(std::string name, std::string help, double value) {
  return family(std::move(name), std::move(help), MetricType::Counter, {{{}, value}});
}

double number(std::uint64_t value) { return static_cast<double>(value); }

void append_endpoints(std::vector<MetricFamily>& out, const Readings& now) {
  std::vector<Sample> states, transfers, rates;
  for (const auto& upstream : now.upstreams) {
    for (const auto& endpoint : upstream.endpoints) {
      const prometheus::Labels labels{{"upstream", upstream.name}, {"endpoint", endpoint.host}};
      for (const auto state : now.endpoint_states) {
        auto with_state = labels;
        with_state.emplace("state", state);
        states.emplace_back(std::move(with_state), endpoint.state == state ? 1 : 0);
      }
      transfers.emplace_back(labels, number(endpoint.transfers));
      rates.emplace_back(labels, number(endpoint.rate));
    }
  }
  const auto gauges = [&out](std::string name, std::string help, const std::vector<Sample>& samples) {
    out.push_back(family(std::move(name), std::move(help), MetricType::Gauge, samples));
  };
  gauges("paddock_upstream_endpoint_state", "1 for the state an endpoint is in", states);
  gauges("paddock_upstream_transfers", "Transfers of blobs at work", transfers);
  gauges("paddock_upstream_transfer_bytes_per_second", "Rate of one transfer (0: not known yet)", rates);
}

void append_limits(std::vector<MetricFamily>& out, const std::vector<Readings::Upstream>& upstreams) {
  std::vector<Sample> connections, reached;
  for (const auto& upstream : upstreams) {
    const auto& limits = upstream.limits;
    connections.push_back({{{"upstream", upstream.name}, {"kind", "used"}}, number(limits.connections)});
    connections.push_back({{{"upstream", upstream.name}, {"kind", "limit"}}, number(limits.max_connections)});
    const auto names = limits.reached();
    for (const auto* limit : {"connections", "bandwidth"}) {
      const double holds = std::ranges::find(names, limit) == names.end() ? 0 : 1;
      reached.push_back({{{"upstream", upstream.name}, {"limit", limit}}, holds});
    }
  }
  out.push_back(family("paddock_upstream_connections", "Connections of fills, besides one each, and how many may be",
                       MetricType::Gauge, connections));
  out.push_back(
      family("paddock_upstream_limit_reached", "1 while a limit holds fills back", MetricType::Gauge, reached));
}

void append_readings(std::vector<MetricFamily>& out, const Readings& now) {
  out.push_back(
      family("paddock_fills",
             "Fills running now, waiting in line among them, and how they ended since the start (not_kept: no room, or "
             "a disk that fails; suspended: put aside with what they had)",
             MetricType::Gauge,
             {{{{"state", "running"}}, number(now.fills_running)},
              {{{"state", "completed"}}, number(now.fills_completed)},
              {{{"state", "failed"}}, number(now.fills_failed)},
              {{{"state", "not_kept"}}, number(now.fills_not_kept)},
              {{{"state", "suspended"}}, number(now.fills_suspended)},
              {{{"state", "waiting"}}, number(now.fills_waiting)}}));
  out.push_back(counter("paddock_fill_resumes_total", "Broken transfers taken up again", number(now.fills_resumed)));
  out.push_back(counter("paddock_verify_failures_total", "Content refused because its digest was wrong",
                        number(now.verify_failures)));
  out.push_back(family("paddock_store_bytes", "Bytes stored, promised to fills, and allowed (0: no limit)",
                       MetricType::Gauge,
                       {{{{"kind", "stored"}}, number(now.store_stored)},
                        {{{"kind", "reserved"}}, number(now.store_reserved)},
                        {{{"kind", "limit"}}, number(now.store_limit)}}));
  out.push_back(gauge("paddock_disk_available_bytes", "Bytes left on the store's disk", number(now.disk_available)));
  out.push_back(counter("paddock_evicted_bytes_total", "Bytes removed to make room", number(now.evicted_bytes)));
  out.push_back(gauge("paddock_connections", "Client connections open now", number(now.connections)));
  if (!now.tls) return;
  out.push_back(family("paddock_tls_connections_total", "TLS handshakes done, by who encrypts what is sent",
                       MetricType::Counter,
                       {{{{"encrypted_by", "kernel"}}, number(now.tls->kernel_connections)},
                        {{{"encrypted_by", "openssl"}}, number(now.tls->openssl_connections)}}));
}

void append_warm_ups(std::vector<MetricFamily>& out, const Readings& now) {
  std::vector<Sample> jobs;
  jobs.reserve(now.warm_jobs.size());
  for (const auto& [state, count] : now.warm_jobs) jobs.push_back({{{"state", std::string(state)}}, number(count)});
  out.push_back(family("paddock_warm_jobs", "Warm-ups that are known, by state", MetricType::Gauge, jobs));
  out.push_back(counter("paddock_warm_bytes_total", "Bytes of blobs that warm-ups fetched", number(now.warm_bytes)));
}

void append_process(std::vector<MetricFamily>& out, const ProcessInfo& info) {
  out.push_back(counter("process_cpu_seconds_total", "User and system time used", info.cpu_seconds));
  out.push_back(gauge("process_start_time_seconds", "Start, in seconds since the epoch", info.start_seconds));
  out.push_back(gauge("process_resident_memory_bytes", "Resident memory", number(info.resident_bytes)));
  out.push_back(gauge("process_virtual_memory_bytes", "Virtual memory", number(info.virtual_bytes)));
  out.push_back(gauge("process_open_fds", "Open file descriptors", number(info.open_files)));
  out.push_back(gauge("process_max_fds", "Limit of open file descriptors", number(info.open_files_limit)));
}

// Lets label_limit different values through; what comes later is to be counted as "other". Thread-safe.
class LabelGate {
 public:
  bool admits(std::string key) {
    const MutexLock lock(mutex_);
    if (seen_.contains(key)) return true;
    if (seen_.size() >= label_limit) return false;
    seen_.insert(std::move(key));
    return true;
  }

 private:
  Mutex mutex_;
  std::set<std::string> seen_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace

struct Metrics::State {
  State(const BuildInfo& info, std::function<Readings()> read) : build(info), readings(std::move(read)) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
      seconds[i] = &seconds_family.Add({{"route", std::string(routes[i])}}, latency_buckets());
    }
  }

  // Looking a counter up by its labels takes a lock and allocates: every request's is remembered.
  Counter& requests_of(std::size_t route, int status) {
    const bool known = status >= first_code && status <= last_code;
    auto& place = by_route_and_code[route][known ? static_cast<std::size_t>(status - first_code) : codes - 1];
    auto* counter = place.load(std::memory_order_acquire);
    if (counter == nullptr) {
      counter = &requests.Add({{"route", std::string(routes[route])}, {"code", code_label(status)}});
      place.store(counter, std::memory_order_release);
    }
    return *counter;
  }

  static constexpr std::size_t codes = last_code - first_code + 2;  // the last one: none
  const BuildInfo build;
  const std::function<Readings()> readings;
  prometheus::Registry registry;
  Family<Counter>& requests = prometheus::BuildCounter()
                                  .Name("paddock_requests_total")
                                  .Help("Requests answered, by route and status")
                                  .Register(registry);
  Family<Histogram>& seconds_family = prometheus::BuildHistogram()
                                          .Name("paddock_request_seconds")
                                          .Help("Time from a request's header to the answer's first byte")
                                          .Register(registry);
  Family<Counter>& served = prometheus::BuildCounter()
                                .Name("paddock_served_bytes_total")
                                .Help("Body bytes sent to clients, by where they came from")
                                .Register(registry);
  Family<Counter>& upstream_requests_family = prometheus::BuildCounter()
                                                  .Name("paddock_upstream_requests_total")
                                                  .Help("Requests sent to upstreams, by status (none: no answer)")
                                                  .Register(registry);
  Family<Counter>& upstream_bytes_family = prometheus::BuildCounter()
                                               .Name("paddock_upstream_bytes_total")
                                               .Help("Body bytes received from upstreams")
                                               .Register(registry);
  Counter& aborted = prometheus::BuildCounter()
                         .Name("paddock_requests_aborted_total")
                         .Help("Answers that were not sent to their end")
                         .Register(registry)
                         .Add({});
  Counter& hit_bytes = served.Add({{"source", "hit"}});
  Counter& fill_bytes = served.Add({{"source", "fill"}});
  Counter& bypass_bytes = served.Add({{"source", "bypass"}});
  std::array<Histogram*, routes.size()> seconds{};
  std::array<std::array<std::atomic<Counter*>, codes>, routes.size()> by_route_and_code{};
  std::atomic<std::uint64_t> request_count{0};
  LabelGate upstreams, endpoints;
};

double Metrics::Totals::hit_ratio() const {
  const auto all = hit_bytes + fill_bytes + bypass_bytes;
  return all == 0 ? 0.0 : static_cast<double>(hit_bytes) / static_cast<double>(all);
}

Metrics::Metrics(const BuildInfo& build, std::function<Readings()> readings)
    : state_(std::make_unique<State>(build, std::move(readings))) {}

Metrics::~Metrics() = default;

void Metrics::declare_upstream(std::string_view upstream, const std::vector<std::string>& endpoints) {
  for (const auto& endpoint : endpoints) upstream_bytes(upstream, endpoint, 0);
}

void Metrics::record(const Exchange& exchange) {
  const auto& response = exchange.response;
  const auto route = route_index(response.route);
  state_->request_count.fetch_add(1, std::memory_order_relaxed);
  state_->requests_of(route, response.status).Increment();
  state_->seconds[route]->Observe(std::chrono::duration<double>(exchange.to_first_byte).count());
  if (exchange.aborted) state_->aborted.Increment();
  const auto bytes = static_cast<double>(exchange.body_bytes);
  if (response.cache == "hit" || response.cache == "stale") state_->hit_bytes.Increment(bytes);
  if (response.cache == "fill") state_->fill_bytes.Increment(bytes);
  if (response.cache == "bypass") state_->bypass_bytes.Increment(bytes);
}

void Metrics::upstream_request(std::string_view upstream, int status) {
  const bool known = state_->upstreams.admits(std::string(upstream));
  state_->upstream_requests_family
      .Add({{"upstream", known ? std::string(upstream) : "other"}, {"code", code_label(status)}})
      .Increment();
}

void Metrics::upstream_bytes(std::string_view upstream, std::string_view endpoint, std::uint64_t bytes) {
  const bool known = state_->endpoints.admits(std::string(upstream).append("\n").append(endpoint));
  state_->upstream_bytes_family
      .Add({{"upstream", known ? std::string(upstream) : "other"},
            {"endpoint", known ? std::string(endpoint) : "other"}})
      .Increment(static_cast<double>(bytes));
}

Metrics::Totals Metrics::totals() const {
  const auto value = [](const Counter& c) { return static_cast<std::uint64_t>(c.Value()); };
  return {state_->request_count.load(std::memory_order_relaxed), value(state_->hit_bytes), value(state_->fill_bytes),
          value(state_->bypass_bytes)};
}

std::string Metrics::text() const {
  auto families = state_->registry.Collect();
  const Readings now = state_->readings();
  append_readings(families, now);
  append_endpoints(families, now);
  append_limits(families, now.upstreams);
  append_warm_ups(families, now);
  append_process(families, read_process_info());
  families.push_back(family(
      "paddock_build_info", "Always 1; the labels say what is running", MetricType::Gauge,
      {{{{"version", state_->build.version}, {"commit", state_->build.commit}, {"compiler", state_->build.compiler}},
        1.0}}));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace paddock
