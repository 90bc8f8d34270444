#include "proxy/cli/doctor_host.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>
#include <utility>

#include "proxy/cli/config_files.h"
#include "proxy/cli/format.h"
#include "proxy/host/engine_settings.h"
#include "proxy/host/host_checks.h"
#include "proxy/net/tls.h"
#include "proxy/upstream/proxy_environment.h"

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
  folder = std::filesystem::absolute(folder, ignored);
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
  return room_in(folder);
}

CacheAddress address_of(const Url& url) {
  const bool loopback = url.host == "localhost" || url.host == "::1" || url.host.starts_with("127.");
  return {.host = url.host, .authority = url.authority(), .tls = url.tls, .loopback = loopback};
}

std::vector<std::string> names_of(const config::Config& config) {
  std::vector<std::string> names;
  for (const auto& upstream : config.upstreams) names.push_back(upstream.name);
  return names;
}

std::optional<std::string> name_error(const std::string& host) {
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, nullptr, &found);
  if (error == 0) ::freeaddrinfo(found);
  return error == 0 ? std::nullopt : std::optional<std::string>(::gai_strerror(error));
}

class Examiner {
 public:
  Examiner(const HostExamination& examination, const config::Config& config, const CacheClient& cache)
      : files_(examination.files),
        patience_(examination.patience),
        config_(config),
        cache_(cache),
        address_(address_of(cache.url())) {}

  Findings examine() {
    findings_.push_back(
        data_room_finding(config_.storage.path, data_room(config_.storage.path), config_.storage.min_free));
    examine_engine_rooms();
    examine_cache();
    std::ranges::move(docker_findings(files_, address_), std::back_inserter(findings_));
    std::ranges::move(containerd_findings(files_, address_, names_of(config_)), std::back_inserter(findings_));
    std::ranges::move(podman_findings(files_, address_, names_of(config_)), std::back_inserter(findings_));
    if (!config_.offline) {
      for (const auto& upstream : config_.upstreams) examine_upstream(upstream);
    }
    for (const auto& problem : file_problems(config_)) {
      findings_.push_back(wrong("configuration", problem, "paddock config check FILE says more"));
    }
    if (clock_) findings_.push_back(*clock_);
    return std::move(findings_);
  }

 private:
  void examine_engine_rooms() {
    for (const auto* folder : {"/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"}) {
      if (!files_.exists(folder)) continue;
      if (const auto room = room_in(files_.at(folder))) findings_.push_back(engine_room_finding(folder, *room));
    }
  }

  void examine_cache() {
    const auto answer = greet(nullptr);
    findings_.push_back(cache_finding(address_, status_of(answer)));
    if (answer) take_clock(*answer, address_.origin());
    if (!address_.tls) return;
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
    const auto proxies = ProxyEnvironment::read(ProxyEnvironment::process_environment);
    for (const auto& endpoint : upstream.endpoints) {
      EndpointTrial trial{.endpoint = endpoint};
      if (const auto url = Url::parse(endpoint)) {
        const auto proxy = proxies ? proxies->proxy_for(*url) : std::nullopt;
        if (proxy) trial.proxy = proxy->origin();
        trial.name_error = name_error(proxy ? proxy->host : url->host);
        if (!trial.name_error) ask(*url, proxy, upstream, trial);
      }
      findings_.push_back(endpoint_finding(upstream.name, trial, !upstream.username.empty()));
    }
  }

  void ask(const Url& url, const std::optional<Url>& proxy, const config::UpstreamOptions& upstream,
           EndpointTrial& trial) {
    ClientRequest request;
    request.url = url.with_target("/v2/");
    request.proxy = proxy;
    if (url.tls && !upstream.ca_file.empty()) {
      auto tls = make_tls_client(upstream.ca_file);
      if (!tls) {
        trial.status = std::unexpected(std::move(tls).error());
        return;
      }
      request.tls = *std::move(tls);
    }
    const auto answer = ask_http(std::move(request), patience_, greeting_limit);
    trial.status = status_of(answer);
    if (!answer) return;
    trial.challenge = answer->headers.get("WWW-Authenticate").value_or("");
    take_clock(*answer, upstream.name);
  }

  static Result<int> status_of(const Result<HttpAnswer>& answer) {
    if (!answer) return std::unexpected(answer.error());
    return answer->status;
  }

  // The first who says the time.
  void take_clock(const HttpAnswer& answer, const std::string& server) {
    const auto date = answer.headers.get("Date");
    if (!clock_ && date) clock_ = clock_finding(*date, server, std::chrono::system_clock::now());
  }

  const HostFiles& files_;
  const std::chrono::milliseconds patience_;
  const config::Config& config_;
  const CacheClient& cache_;
  const CacheAddress address_;
  std::optional<Finding> clock_;
  Findings findings_;
};

}  // namespace

Findings examine(const HostExamination& examination, const config::Config& config, const CacheClient& cache) {
  return Examiner(examination, config, cache).examine();
}

std::string describe(const Findings& findings) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : findings) {
    rows.push_back({std::string(to_string(one.severity)), one.check,
                    one.remedy.empty() ? one.text : one.text + ": " + one.remedy});
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
