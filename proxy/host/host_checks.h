// What the checks of a machine conclude from what was measured: room on disks, the clock, answers of upstreams and of
// the cache, trust in its certificate. Decisions only; the command line measures. Pure; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/engine_settings.h"
#include "proxy/host/finding.h"
#include "storage/error.h"

namespace paddock {

struct Room {
  std::uint64_t total = 0, available = 0;  // bytes
};

// The cache's data folder, on the disk of which `min_free` bytes stay free.
Finding data_room_finding(const std::string& folder, const Result<Room>& room, std::uint64_t min_free);
// The folder in which an engine unpacks images.
Finding engine_room_finding(const std::string& folder, const Room& room);

// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);
// `date` is what `server` says that it is.
Finding clock_finding(std::string_view date, const std::string& server, std::chrono::system_clock::time_point now);

// One try to reach an endpoint.
struct EndpointTrial {
  std::string endpoint{};                   // "https://registry.baidubce.com"
  std::string proxy{};                      // that it goes through; empty: directly
  std::optional<std::string> name_error{};  // the name could not be resolved
  Result<int> status = 0;                   // of /v2/
  enum class Wants : std::uint8_t { something, password, token };
  Wants wants = Wants::something;     // with status 401
  std::optional<Error> auth_error{};  // why no token can be had, or the password is refused
  bool untrusted = false;             // `status` is an error for its certificate
};
// `credentials` says whether some are configured.
Finding endpoint_finding(const std::string& upstream, const EndpointTrial& trial, bool credentials);

// The status of /v2/; `marked`: with X-Paddock-Cache, as only the cache answers.
Finding cache_finding(const CacheAddress& cache, const Result<int>& status, bool marked);

// Who trusts the cache's certificate: this system's CAs, those of /etc/docker/certs.d/HOST, and whether dockerd is
// here.
struct CertificateTrust {
  Result<void> system{};
  std::optional<Result<void>> docker{};  // absent: no file there
  bool docker_installed = false;
};
Finding trust_finding(const CacheAddress& cache, const CertificateTrust& trust);

}  // namespace paddock
