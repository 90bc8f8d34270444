#include "proxy/admin/metrics.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/proxy/admin/exchange_builder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::ExchangeBuilder;

Metrics make_metrics(Readings now = {}) {
  return Metrics({"1.2.3", "abc", "clang 19"}, [now] { return now; });
}

std::size_t occurrences(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("the contract's metrics are all there after some traffic") {
  Readings now;
  now.fills_running = 2;
  now.fills_completed = 30;
  now.fills_failed = 4;
  now.fills_not_kept = 5;
  now.fills_suspended = 6;
  now.fills_waiting = 1;
  now.verify_failures = 1;
  now.store_stored = 1000;
  now.store_reserved = 200;
  now.store_limit = 5000;
  now.evicted_bytes = 77;
  now.connections = 9;
  now.disk_available = 123456;
  auto metrics = make_metrics(now);
  ExchangeBuilder exchange;
  metrics.record(exchange.route("manifest", 200, "hit", 500).get());
  metrics.record(exchange.route("blob", 206, "fill", 4096).get());
  metrics.record(exchange.route("blob", 404, "bypass", 60).get());
  metrics.upstream_request("registry.baidubce.com", 200);
  metrics.upstream_bytes("registry.baidubce.com", "https://registry.baidubce.com", 4096);
  const auto text = metrics.text();
  for (const auto* line : {
           "paddock_requests_total{code=\"200\",route=\"manifest\"} 1",
           "paddock_requests_total{code=\"206\",route=\"blob\"} 1",
           "paddock_requests_total{code=\"404\",route=\"blob\"} 1",
           "paddock_request_seconds_bucket{route=\"blob\",le=\"0.0025\"} 2",
           "paddock_request_seconds_count{route=\"manifest\"} 1",
           "paddock_served_bytes_total{source=\"hit\"} 500",
           "paddock_served_bytes_total{source=\"fill\"} 4096",
           "paddock_served_bytes_total{source=\"bypass\"} 60",
           "paddock_upstream_requests_total{code=\"200\",upstream=\"registry.baidubce.com\"} 1",
           "paddock_upstream_bytes_total{endpoint=\"https://registry.baidubce.com\",upstream=\"registry.baidubce.com\"}"
           " 4096",
           "paddock_fills{state=\"running\"} 2",
           "paddock_fills{state=\"completed\"} 30",
           "paddock_fills{state=\"failed\"} 4",
           "paddock_fills{state=\"not_kept\"} 5",
           "paddock_fills{state=\"suspended\"} 6",
           "paddock_fills{state=\"waiting\"} 1",
           "paddock_store_bytes{kind=\"stored\"} 1000",
           "paddock_store_bytes{kind=\"reserved\"} 200",
           "paddock_store_bytes{kind=\"limit\"} 5000",
           "paddock_evicted_bytes_total 77",
           "paddock_verify_failures_total 1",
           "paddock_connections 9",
           "paddock_disk_available_bytes 123456",
       }) {
    CHECK_THAT(text, Contains(line));
  }
}

TEST_CASE("TLS connections are counted by who encrypts, where there are any") {
  CHECK_THAT(make_metrics().text(), !Contains("paddock_tls_connections_total"));
  Readings now;
  now.tls = TlsReport{.kernel = true, .kernel_connections = 3, .openssl_connections = 1};
  const auto text = make_metrics(now).text();
  CHECK_THAT(text, Contains("# TYPE paddock_tls_connections_total counter\n") &&
                       Contains("paddock_tls_connections_total{encrypted_by=\"kernel\"} 3\n") &&
                       Contains("paddock_tls_connections_total{encrypted_by=\"openssl\"} 1\n"));
}

TEST_CASE("every family says what it is, exactly once") {
  auto metrics = make_metrics();
  metrics.record(ExchangeBuilder().get());
  const auto text = metrics.text();
  for (const auto* type : {"# TYPE paddock_requests_total counter\n", "# TYPE paddock_request_seconds histogram\n",
                           "# TYPE paddock_served_bytes_total counter\n", "# TYPE paddock_fills gauge\n",
                           "# TYPE paddock_store_bytes gauge\n", "# TYPE paddock_evicted_bytes_total counter\n",
                           "# TYPE paddock_connections gauge\n", "# TYPE paddock_build_info gauge\n",
                           "# TYPE process_cpu_seconds_total counter\n", "# TYPE process_resident_memory_bytes gauge\n",
                           "# TYPE process_open_fds gauge\n", "# TYPE process_start_time_seconds gauge\n"}) {
    CHECK(occurrences(text, type) == 1);
  }
  CHECK_THAT(text, Contains("version=\"1.2.3\"") && Contains("commit=\"abc\"") && Contains("compiler=\"clang 19\""));
}

TEST_CASE("what is stale counts as a hit, and what has no cache status as nothing") {
  auto metrics = make_metrics();
  ExchangeBuilder exchange;
  metrics.record(exchange.route("manifest", 200, "stale", 10).get());
  metrics.record(exchange.route("manifest", 200, "hit", 20).get());
  metrics.record(exchange.route("admin", 200, "", 1000).get());
  metrics.record(exchange.route("blob", 200, "fill", 40).get());
  metrics.record(exchange.route("blob", 200, "bypass", 30).get());
  const auto totals = metrics.totals();
  CHECK(totals.requests == 5);
  CHECK(totals.hit_bytes == 30);
  CHECK(totals.fill_bytes == 40);
  CHECK(totals.bypass_bytes == 30);
  CHECK(totals.hit_ratio() == Approx(0.3));
  CHECK(Metrics::Totals().hit_ratio() == 0.0);
}

TEST_CASE("what strangers send never becomes a label") {
  auto metrics = make_metrics();
  ExchangeBuilder exchange;
  metrics.record(exchange.route("evil\"} 1\n# forged", 200, "evil", 10).get());
  metrics.record(exchange.route("other", 99'999, "hit", 10).get());
  const auto text = metrics.text();
  CHECK_THAT(text, !Contains("evil") && !Contains("forged") && !Contains("99999"));
  CHECK_THAT(text, Contains("paddock_requests_total{code=\"200\",route=\"other\"} 1"));
  CHECK_THAT(text, Contains("paddock_requests_total{code=\"none\",route=\"other\"} 1"));
}

TEST_CASE("a family of upstreams stays bounded") {
  auto metrics = make_metrics();
  for (int i = 0; i < 1000; ++i) {
    metrics.upstream_bytes("up", "endpoint" + std::to_string(i), 1);
    metrics.upstream_request("up" + std::to_string(i), 200);
  }
  const auto text = metrics.text();
  CHECK(occurrences(text, "\npaddock_upstream_bytes_total{") == 65);
  CHECK(occurrences(text, "\npaddock_upstream_requests_total{") == 65);
  CHECK_THAT(text, Contains("paddock_upstream_bytes_total{endpoint=\"other\",upstream=\"other\"} 936"));
}

TEST_CASE("a configured upstream is there before its first request, and an unanswered one is counted") {
  auto metrics = make_metrics();
  metrics.declare_upstream("up", {"https://a.example", "https://b.example"});
  metrics.upstream_request("up", 0);
  const auto text = metrics.text();
  CHECK_THAT(text, Contains("paddock_upstream_bytes_total{endpoint=\"https://a.example\",upstream=\"up\"} 0"));
  CHECK_THAT(text, Contains("paddock_upstream_bytes_total{endpoint=\"https://b.example\",upstream=\"up\"} 0"));
  CHECK_THAT(text, Contains("paddock_upstream_requests_total{code=\"none\",upstream=\"up\"} 1"));
}

TEST_CASE("aborted exchanges are counted") {
  auto metrics = make_metrics();
  ExchangeBuilder exchange;
  metrics.record(exchange.get());
  exchange.abort_reason = "reset";
  metrics.record(exchange.get());
  CHECK_THAT(metrics.text(), Contains("paddock_requests_aborted_total 1"));
}

TEST_CASE("readings are taken anew at each scrape") {
  std::uint64_t connections = 1;
  const Metrics metrics({}, [&] {
    Readings now;
    now.connections = connections;
    return now;
  });
  CHECK_THAT(metrics.text(), Contains("paddock_connections 1"));
  connections = 5;
  CHECK_THAT(metrics.text(), Contains("paddock_connections 5"));
}

TEST_CASE("each endpoint is in one of the states, with its transfers and their rate") {
  constexpr std::array<std::string_view, 4> states{"ok", "slow", "resting", "distrusted"};
  Readings now;
  now.endpoint_states = states;
  now.upstreams = {{"up", {{"a.example", "ok", 3, 1000}, {"b.example:444", "distrusted", 0, 0}}, {}},
                   {"other", {{"a.example", "resting", 0, 7}}, {}},
                   {"offline", {}, {}}};
  const auto text = make_metrics(now).text();
  for (const auto* line : {
           "paddock_upstream_endpoint_state{endpoint=\"a.example\",state=\"ok\",upstream=\"up\"} 1\n",
           "paddock_upstream_endpoint_state{endpoint=\"a.example\",state=\"resting\",upstream=\"up\"} 0\n",
           "paddock_upstream_endpoint_state{endpoint=\"b.example:444\",state=\"distrusted\",upstream=\"up\"} 1\n",
           "paddock_upstream_endpoint_state{endpoint=\"a.example\",state=\"resting\",upstream=\"other\"} 1\n",
           "paddock_upstream_transfers{endpoint=\"a.example\",upstream=\"up\"} 3\n",
           "paddock_upstream_transfer_bytes_per_second{endpoint=\"a.example\",upstream=\"up\"} 1000\n",
           "paddock_upstream_transfer_bytes_per_second{endpoint=\"b.example:444\",upstream=\"up\"} 0\n",
       }) {
    CHECK_THAT(text, Contains(line));
  }
  CHECK(occurrences(text, "\npaddock_upstream_endpoint_state{") == 12);
  std::size_t in_a_state = 0;
  for (const auto state : states) {
    for (const auto* rest : {"\",upstream=\"up\"} 1\n", "\",upstream=\"other\"} 1\n"}) {
      in_a_state += occurrences(text, "state=\"" + std::string(state) + rest);
    }
  }
  CHECK(in_a_state == 3);
}

TEST_CASE("an upstream's limits are shown, and whether they hold now") {
  Readings now;
  now.upstreams = {{"up", {}, {.connections = 4, .max_connections = 4, .bandwidth_reached = false}},
                   {"other", {}, {.connections = 0, .max_connections = 4, .bandwidth_reached = true}}};
  const auto text = make_metrics(now).text();
  for (const auto* line : {
           "paddock_upstream_connections{kind=\"used\",upstream=\"up\"} 4\n",
           "paddock_upstream_connections{kind=\"limit\",upstream=\"other\"} 4\n",
           "paddock_upstream_limit_reached{limit=\"connections\",upstream=\"up\"} 1\n",
           "paddock_upstream_limit_reached{limit=\"bandwidth\",upstream=\"up\"} 0\n",
           "paddock_upstream_limit_reached{limit=\"connections\",upstream=\"other\"} 0\n",
           "paddock_upstream_limit_reached{limit=\"bandwidth\",upstream=\"other\"} 1\n",
       }) {
    CHECK_THAT(text, Contains(line));
  }
}

TEST_CASE("exchanges may be recorded and scraped from several threads") {
  auto metrics = make_metrics();
  std::atomic<std::size_t> scraped{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        ExchangeBuilder exchange;
        exchange.route("blob", 200, "hit", 3);
        for (int i = 0; i < 500; ++i) {
          metrics.record(exchange.get());
          metrics.upstream_bytes("up", "endpoint", 2);
          if (i % 100 == 0) scraped += metrics.text().size();
        }
      });
    }
  }
  CHECK(scraped > 0);
  CHECK(metrics.totals().requests == 2000);
  CHECK(metrics.totals().hit_bytes == 6000);
  CHECK_THAT(metrics.text(), Contains("paddock_upstream_bytes_total{endpoint=\"endpoint\",upstream=\"up\"} 4000"));
}

}  // namespace
}  // namespace paddock
