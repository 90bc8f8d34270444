// What a user can configure: plain values, no behaviour. Defaults are those of the shipped paddock.yaml, so that
// `paddock serve` works without a file. The composition root turns them into each component's own Options.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace paddock::config {

// "5GiB" or "80%" of the disk.
struct SizeLimit {
  std::uint64_t bytes = 0;  // when percent is 0
  double percent = 0;       // above 0, up to 100

  [[nodiscard]] bool is_share() const { return percent > 0; }
  [[nodiscard]] std::uint64_t resolve(std::uint64_t disk_total) const;
  friend bool operator==(const SizeLimit&, const SizeLimit&) = default;
};

// For clients.
struct ServerDeadlines {
  std::chrono::seconds header{20};  // of a request
  std::chrono::seconds idle{120};   // between requests
  std::chrono::seconds stall{60};   // for each 64 KiB of an answer
  friend bool operator==(const ServerDeadlines&, const ServerDeadlines&) = default;
};

struct ServerOptions {
  std::vector<std::string> listen{"127.0.0.1:5000"};
  std::uint32_t threads = 0;  // 0: one per core
  std::string tls_certificate, tls_key;
  std::string tls_kernel = "auto";  // or "off"
  std::string auth_htpasswd;
  bool auth_anonymous_pull = true;
  std::chrono::seconds drain{30};
  ServerDeadlines deadlines;
  std::uint64_t manifest_limit = 4U << 20U;
  friend bool operator==(const ServerOptions&, const ServerOptions&) = default;
};

struct AdminOptions {
  std::string listen = "127.0.0.1:5001";
  std::string token_file;
  friend bool operator==(const AdminOptions&, const AdminOptions&) = default;
};

struct StorageOptions {
  std::string path = "var";
  SizeLimit max_size{0, 80};
  std::uint64_t min_free = std::uint64_t{5} << 30U;
  friend bool operator==(const StorageOptions&, const StorageOptions&) = default;
};

struct UpstreamDeadlines {
  std::chrono::milliseconds connect{10'000}, headers{30'000}, stall{30'000};
  friend bool operator==(const UpstreamDeadlines&, const UpstreamDeadlines&) = default;
};

struct UpstreamOptions {
  std::string name;
  std::vector<std::string> endpoints;
  std::vector<std::string> listen;  // addresses that mean this one
  bool is_default = false;
  std::string username, password_file, ca_file;
  std::vector<std::string> allow{"**"};
  std::uint32_t connections = 8;       // ranged, of one fill
  std::uint32_t max_connections = 32;  // of all fills together, besides one each
  std::uint64_t bandwidth = 0;         // bytes a second that it sends, as a mirror too; 0: unlimited
  std::vector<std::string> mirrors;    // names of other upstreams with the same content, within their own rules
  std::chrono::seconds tag_ttl{std::chrono::minutes{10}};
  std::chrono::seconds stale_if_error{std::chrono::days{30}};
  std::vector<std::string> trusted_realms;  // hosts besides the endpoints' that may get the credentials
  std::vector<std::string>
      redirects;  // hosts and "*.host" that redirects may go to though they are private or plain http
  UpstreamDeadlines deadlines;
  friend bool operator==(const UpstreamOptions&, const UpstreamOptions&) = default;
};

struct FillOptions {
  std::uint32_t at_once = 64;
  std::string on_abandon = "finish";  // or "pause"
  friend bool operator==(const FillOptions&, const FillOptions&) = default;
};

struct TagOptions {
  std::chrono::seconds negative_ttl{10};  // how long a 404 is remembered
  friend bool operator==(const TagOptions&, const TagOptions&) = default;
};

struct ConnectProxyOptions {
  std::string listen, ca_certificate, ca_key;
  std::vector<std::string> hosts;   // answered by the cache; none: all upstreams
  std::vector<std::string> tunnel;  // let through
  friend bool operator==(const ConnectProxyOptions&, const ConnectProxyOptions&) = default;
};

struct WarmRule {
  std::string name;
  std::vector<std::string> images;
  std::string where;
  std::uint32_t latest = 0;   // only so many newest versions; 0: all
  std::uint32_t limit = 100;  // more images are a mistake
  std::vector<std::string> platforms{"linux/amd64"};
  std::string schedule;
  std::chrono::seconds pin{0};
  std::vector<std::string> from_ci;
  std::chrono::seconds learn{0};                         // from what was pulled within so long; 0: not at all
  std::chrono::seconds ahead{std::chrono::minutes(30)};  // of the hour in which it usually is
  friend bool operator==(const WarmRule&, const WarmRule&) = default;
};

struct LogOptions {
  std::string level = "info";
  std::string format = "text";
  friend bool operator==(const LogOptions&, const LogOptions&) = default;
};

std::vector<UpstreamOptions> default_upstreams();

struct Config {
  ServerOptions server;
  AdminOptions admin;
  StorageOptions storage;
  std::vector<UpstreamOptions> upstreams = default_upstreams();
  FillOptions fills;
  TagOptions tags;
  ConnectProxyOptions connect_proxy;                        // ingress.connect_proxy
  std::map<std::string, std::vector<std::string>> resolve;  // addresses of hosts, instead of what the name service says
  std::vector<WarmRule> warm;
  bool offline = false;
  LogOptions log;
  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace paddock::config
