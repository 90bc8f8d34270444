#include "proxy/cli/doctor_host.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>
#include <utility>

#include "proxy/cli/config_files.h"
#include "proxy/cli/doctor_upstream.h"
#include "proxy/cli/format.h"
#include "proxy/host/engine_settings.h"
#include "proxy/host/host_checks.h"
#include "proxy/net/tls.h"

namespace paddock {
namespace {

constexpr std::size_t greeting_limit = std::size_t{64} << 10U;

Result<Room> room_in(const std::filesystem::path& folder) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0) {
    return fail(ErrorCode::io, Blame::us, std::strerror(errno));
  }
  return Room{info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize};
}

// One that is to be made has the room of what is there already.
Result<Room> data_room(std::filesystem::path folder) {
  std::error_code ignored;
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
  return room_in(folder);
}

CacheAddress address_of(const Url& url) {
  return {.host = url.host, .authority = url.authority(), .tls = url.tls, .loopback = is_loopback(url)};
}

UpstreamNames names_of(const config::Config& config) {
  UpstreamNames names;
  for (const auto& upstream : config.upstreams) {
    names.all.push_back(upstream.name);
    if (upstream.is_default) names.bare = upstream.name;
    if (upstream.name != "docker.io") continue;
    for (const auto& address : upstream.listen) {
      if (!address.starts_with("unix:")) names.hub_ports.push_back(address.substr(address.rfind(':') + 1));
    }
  }
  return names;
}

class Examiner {
 public:
  Examiner(const HostExamination& examination, const config::Config& config, const CacheClient& cache)
      : files_(examination.files),
        has_cache_(examination.has_cache),
        patience_(examination.patience),
        config_(config),
        cache_(cache),
        address_(address_of(cache.url())) {}

  Findings examine() {
    if (has_cache_) examine_data_room();
    examine_engine_rooms();
    examine_cache();
    const auto names = names_of(config_);
    std::ranges::move(docker_findings(files_, address_, names), std::back_inserter(findings_));
    std::ranges::move(containerd_findings(files_, address_, names), std::back_inserter(findings_));
    std::ranges::move(podman_findings(files_, address_, names), std::back_inserter(findings_));
    if (has_cache_) examine_configuration();
    if (clock_) findings_.push_back(*clock_);
    return std::move(findings_);
  }

 private:
  void examine_data_room() {
    std::error_code ignored;
    const auto folder = std::filesystem::absolute(config_.storage.path, ignored);
    findings_.push_back(data_room_finding(folder.string(), data_room(folder), config_.storage.min_free));
  }

  void examine_configuration() {
    if (!config_.offline) {
      for (const auto& upstream : config_.upstreams) examine_upstream(upstream);
    }
    for (const auto& problem : file_problems(config_)) {
      findings_.push_back(wrong("configuration", problem, "paddock config check FILE says more"));
    }
  }

  void examine_engine_rooms() {
    for (const auto* folder : {"/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"}) {
      if (!files_.exists(folder)) continue;
      if (const auto room = room_in(files_.at(folder))) findings_.push_back(engine_room_finding(folder, *room));
    }
  }

  void examine_cache() {
    const auto answer = greet(nullptr);
    const bool untrusted = !answer && is_untrusted(answer.error());
    const bool marked = answer && answer->headers.get("X-Paddock-Cache").has_value();
    if (!untrusted) findings_.push_back(cache_finding(address_, status_of(answer), marked));
    // One on this machine has its clock.
    if (answer && !address_.loopback) take_clock(answer->headers.get("Date").value_or(""), address_.origin());
    if (!address_.tls || (!answer && !untrusted)) return;
    CertificateTrust trust{.docker_installed = files_.exists("/etc/docker")};
    if (!answer) trust.system = std::unexpected(answer.error());
    const auto file = "/etc/docker/certs.d/" + address_.authority + "/ca.crt";
    if (!answer && files_.exists(file)) trust.docker = trusts(files_.at(file));
    findings_.push_back(trust_finding(address_, trust));
  }

  Result<void> trusts(const std::filesystem::path& ca_file) {
    auto tls = make_tls_client(ca_file);
    if (!tls) return std::unexpected(std::move(tls).error());
    const auto answer = greet(*std::move(tls));
    if (!answer) return std::unexpected(answer.error());
    return {};
  }

  Result<HttpAnswer> greet(std::shared_ptr<const TlsClientContext> tls) {
    ClientRequest request;
    request.url = cache_.url().with_target("/v2/");
    request.tls = std::move(tls);
    return ask_http(std::move(request), patience_, greeting_limit);
  }

  void examine_upstream(const config::UpstreamOptions& upstream) {
    for (const auto& endpoint : upstream.endpoints) {
      const auto answer = try_endpoint(endpoint, upstream, patience_, config_.resolve);
      take_clock(answer.date, upstream.name);
      findings_.push_back(endpoint_finding(upstream.name, answer.trial, !upstream.username.empty()));
    }
  }

  static Result<int> status_of(const Result<HttpAnswer>& answer) {
    if (!answer) return std::unexpected(answer.error());
    return answer->status;
  }

  // The first who says the time.
  void take_clock(std::string_view date, const std::string& server) {
    if (!clock_ && !date.empty()) clock_ = clock_finding(date, server, std::chrono::system_clock::now());
  }

  const HostFiles& files_;
  const bool has_cache_;
  const std::chrono::milliseconds patience_;
  const config::Config& config_;
  const CacheClient& cache_;
  const CacheAddress address_;
  std::optional<Finding> clock_;
  Findings findings_;
};

}  // namespace

bool is_loopback(const Url& url) {
  return url.host == "localhost" || url.host == "::1" || url.host.starts_with("127.");
}

Findings examine(const HostExamination& examination, const config::Config& config, const CacheClient& cache) {
  return Examiner(examination, config, cache).examine();
}

std::string describe(const Findings& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : findings) {
    rows.push_back({std::string(to_string(one.severity)), one.check, one.text});
    if (!one.remedy.empty()) rows.push_back({"", "", "-> " + one.remedy});
  }
  return format_table(rows);
}

nlohmann::ordered_json findings_json(const Findings& findings) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& one : findings) {
    out.push_back(
        {{"severity", to_string(one.severity)},
         {"check", one.check},
         {"text", one.text},
         {"remedy", one.remedy.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(one.remedy)}});
  }
  return out;
}

bool all_in_order(const Findings& findings) {
  return std::ranges::none_of(findings, [](const auto& one) { return one.severity == Finding::Severity::wrong; });
}

}  // namespace paddock
