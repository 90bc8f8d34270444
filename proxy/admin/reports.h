// What the admin side reports, as plain structs: filled by the app and image_list.h, shown by the JSON API, the status
// page and, as JSON, the command line. Sizes are bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/digest.h"
#include "storage/recovery.h"

namespace paddock {

struct EndpointReport {
  std::string host;
  std::string state;            // one of Readings::endpoint_states
  std::uint64_t transfers = 0;  // at work
  std::uint64_t rate = 0;       // bytes a second of one transfer; 0: not known yet
};

struct LimitReport {
  std::uint64_t connections = 0, max_connections = 0;  // of all fills, besides one each
  std::uint64_t bandwidth = 0;                         // bytes a second; 0: no limit
  bool bandwidth_reached = false;                      // fills are being held back
  // "connections", "bandwidth"
  [[nodiscard]] std::vector<std::string> reached() const;
};

struct UpstreamReport {
  std::string name{};
  std::vector<std::string> endpoints{};  // without user names and passwords
  std::optional<bool> reachable{};       // absent: not tried yet
  std::string last_error{};              // empty when the last request went well
  bool is_default = false;
  std::vector<EndpointReport> health{};  // of the endpoints; empty when offline
  LimitReport limits{};
};

struct StoreReport {
  std::uint64_t stored = 0, reserved = 0;
  std::uint64_t max_size = 0;  // 0: no limit but the disk
  std::uint64_t min_free = 0;
  std::uint64_t disk_total = 0, disk_available = 0;
  std::uint64_t evicted = 0;  // since the start
};

struct TrafficReport {  // since the start
  std::uint64_t requests = 0;
  std::uint64_t hit_bytes = 0, fill_bytes = 0, bypass_bytes = 0;
  double hit_ratio = 0;
};

struct TlsReport {
  bool kernel = false;           // encrypts what is sent, on connections that can have it
  std::string why_not_kernel{};  // empty when it does
  std::uint64_t kernel_connections = 0, openssl_connections = 0;  // since the start, by who encrypts
};

struct StatusReport {
  std::string version, commit;
  WallTime started{};
  std::chrono::seconds uptime{};
  std::string data_folder;
  bool offline = false;
  std::vector<std::string> not_ready;  // empty: ready
  std::vector<std::string> listen;     // bound addresses
  std::optional<TlsReport> tls;        // absent: no listener of clients has TLS
  StoreReport store;
  std::vector<UpstreamReport> upstreams;
  std::uint64_t fills_running = 0, fills_completed = 0, fills_failed = 0;
  std::uint64_t fills_not_kept = 0;   // no failure: what they were for passed through uncached
  std::uint64_t fills_suspended = 0;  // put aside with what they had, until somebody asks again
  std::uint64_t fills_waiting = 0;    // in line, of the running
  TrafficReport traffic;
  std::uint64_t connections = 0;
  std::optional<RecoveryReport> recovery;  // what the start found; absent while it is under way
};

struct PlatformReport {
  std::string name{};    // "linux/arm64/v8"; empty for an image that is not part of an index
  Digest digest;         // of its manifest
  bool present = false;  // its manifest is stored, so the sizes are known
  std::uint64_t total = 0, stored = 0;
  std::uint64_t coming = 0;  // what has come of blobs that are on their way
  bool complete = false;
};

struct ImageReport {
  RepositoryKey repository;
  std::string tag{};  // empty when asked for by digest
  Digest digest;
  std::string media_type{};
  std::vector<PlatformReport> platforms{};  // one without a name for a plain image
  std::uint64_t total = 0;                  // of all platforms whose manifests are stored; shared blobs once
  std::uint64_t stored = 0;                 // of these
  std::uint64_t coming = 0, rate = 0;       // of what is on its way: what has come, and bytes a second
  bool complete = false;                    // everything it names is stored, all platforms
  std::optional<WallTime> last_used{};
  std::optional<WallTime> changed{}, validated{};  // of the tag
  std::vector<PinRecord> pins{};

  // "registry.baidubce.com/paddlepaddle/paddle:2.6.2", or with "@sha256:..." when there is no tag.
  [[nodiscard]] std::string name() const;
};

struct ImageCursor {  // where a page ended
  RepositoryKey repository;
  std::string tag;
  friend auto operator<=>(const ImageCursor&, const ImageCursor&) = default;
};

struct ImageQuery {
  std::size_t limit = 100;
  std::optional<ImageCursor> after;  // exclusive
};

struct ImagePage {
  std::vector<ImageReport> images;
  bool more = false;
};

struct FillReport {
  Digest digest;
  std::string upstream, repository;
  std::string source;  // endpoint host
  std::string state;
  std::uint64_t received = 0;
  std::optional<std::uint64_t> size;
  std::uint64_t readers = 0;
  std::uint64_t rate = 0;  // bytes a second
};

}  // namespace paddock
