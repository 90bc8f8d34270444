// Metrics: what Prometheus scrapes. Counts exchanges as they end, asks for everything else when scraped.
//
// Label values come from configuration and from our own fixed sets, never from a request: an unknown route is "other",
// and each family holds a limited number of series. Thread-safe; cheap enough for every request. text() may block on
// what `readings` does: call it on the BlockingPool. Nothing here fails.
// Format: Prometheus text exposition 0.0.4.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/admin/reports.h"
#include "proxy/net/server.h"

namespace paddock {

struct BuildInfo {
  std::string version, commit, compiler;  // commit may be empty
};

// Values that others keep, as they are at the moment of a scrape.
struct Readings {
  struct Upstream {
    std::string name;
    std::vector<EndpointReport> endpoints;
    LimitReport limits;
  };
  std::uint64_t fills_running = 0, fills_completed = 0, fills_failed = 0, fills_not_kept = 0, fills_resumed = 0;
  std::uint64_t fills_suspended = 0, fills_waiting = 0;
  std::vector<Upstream> upstreams{};
  std::span<const std::string_view> endpoint_states{};  // all that there are
  std::uint64_t verify_failures = 0;
  std::uint64_t store_stored = 0, store_reserved = 0, store_limit = 0;  // bytes; limit 0: none
  std::uint64_t disk_available = 0;                                     // bytes
  std::uint64_t evicted_bytes = 0;
  std::uint64_t connections = 0;
  std::optional<TlsReport> tls{};
  std::vector<std::pair<std::string_view, std::uint64_t>> warm_jobs{};  // by state, all that there are
  std::uint64_t warm_bytes = 0;                                         // fetched by warm-ups
};

class Metrics {
 public:
  // Bytes sent to clients, by where they came from, and the exchanges they belong to.
  struct Totals {
    std::uint64_t requests = 0;
    std::uint64_t hit_bytes = 0, fill_bytes = 0, bypass_bytes = 0;
    // Of the bytes sent, the share that was stored already; 0 when nothing was sent.
    [[nodiscard]] double hit_ratio() const;
  };

  Metrics(const BuildInfo& build, std::function<Readings()> readings);
  ~Metrics();

  // Makes the series of a configured upstream exist, at zero.
  void declare_upstream(std::string_view upstream, const std::vector<std::string>& endpoints);
  void record(const Exchange& exchange);
  // An answer of an upstream; status 0 when there was none.
  void upstream_request(std::string_view upstream, int status);
  void upstream_bytes(std::string_view upstream, std::string_view endpoint, std::uint64_t bytes);

  [[nodiscard]] Totals totals() const;
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace paddock
