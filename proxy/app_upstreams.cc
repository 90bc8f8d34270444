#include "proxy/app_upstreams.h"

#include <algorithm>
#include <utility>

#include "proxy/cli/config_files.h"
#include "proxy/net/tls.h"
#include "proxy/upstream/http_upstream.h"
#include "proxy/upstream/mirrored_upstream.h"
#include "proxy/upstream/offline_upstream.h"

namespace paddock {
namespace {

Result<std::string> read_password(const std::string& path) {
  return path.empty() ? Result<std::string>("") : read_secret(path, "password");
}

// The system's CAs take tens of milliseconds to read: once for all upstreams that trust the same.
class TlsContexts {
 public:
  Result<std::shared_ptr<const TlsClientContext>> get(const std::string& ca_file) {
    if (const auto found = made_.find(ca_file); found != made_.end()) return found->second;
    auto made = make_tls_client(ca_file.empty() ? std::nullopt : std::optional<std::filesystem::path>(ca_file));
    if (made) made_.emplace(ca_file, *made);
    return made;
  }

 private:
  std::map<std::string, std::shared_ptr<const TlsClientContext>> made_;
};

Result<UpstreamOptions> to_options(const config::UpstreamOptions& configured, std::uint64_t manifest_limit,
                                   const ProxyEnvironment& proxy, TlsContexts& contexts,
                                   std::shared_ptr<const HostAddresses> addresses) {
  UpstreamOptions options;
  options.name = configured.name;
  for (const auto& endpoint : configured.endpoints) {
    auto url = Url::parse(endpoint);
    if (!url) return std::unexpected(std::move(url).error().with("endpoint " + endpoint));
    options.endpoints.push_back(*std::move(url));
  }
  auto password = read_password(configured.password_file);
  if (!password) return std::unexpected(std::move(password).error().with("password_file"));
  auto tls = contexts.get(configured.ca_file);
  if (!tls) return std::unexpected(std::move(tls).error().with("ca_file"));
  options.username = configured.username;
  options.password = *std::move(password);
  options.tls = *std::move(tls);
  options.proxy = proxy;
  options.addresses = std::move(addresses);
  options.trusted_realms = configured.trusted_realms;
  options.redirects.allow = configured.redirects;
  options.deadlines = {configured.deadlines.connect, configured.deadlines.headers, configured.deadlines.stall};
  options.manifest_limit = manifest_limit;
  return options;
}

// Mirrors are asked as they are, without mirrors of their own, and for what they may be asked by their own rules.
void add_mirrors(const config::Config& config, const Clock& clock, UpstreamSet& set) {
  const auto plain = set.entries;
  for (const auto& configured : config.upstreams) {
    if (configured.mirrors.empty()) continue;
    std::vector<MirroredUpstream::Member> members{{plain.at(configured.name).upstream}};
    for (const auto& mirror : configured.mirrors) {
      const auto& rules = *std::ranges::find(config.upstreams, mirror, &config::UpstreamOptions::name);
      members.push_back({plain.at(mirror).upstream,
                         [allow = rules.allow](const std::string& name) { return matches_any(allow, name); }});
    }
    set.entries.at(configured.name).upstream = std::make_shared<MirroredUpstream>(std::move(members), clock);
  }
}

}  // namespace

void UpstreamHealth::note(const std::string& upstream, int status, const std::string& endpoint) {
  const bool answered = status > 0 && status < 500 && status != 429;
  State state{answered, {}};
  if (status == 0) state.last_error = "no answer from " + endpoint;
  if (status > 0 && !answered) state.last_error = endpoint + " answered " + std::to_string(status);
  const MutexLock lock(mutex_);
  states_[upstream] = std::move(state);
}

std::optional<UpstreamHealth::State> UpstreamHealth::get(const std::string& upstream) const {
  const MutexLock lock(mutex_);
  const auto found = states_.find(upstream);
  return found == states_.end() ? std::nullopt : std::optional(found->second);
}

UpstreamLimits::Limits UpstreamLimits::get(const config::UpstreamOptions& configured) {
  const MutexLock lock(mutex_);
  auto& limits = limits_[configured.name];
  if (!limits.bandwidth) {
    limits.bandwidth = std::make_shared<TokenBucket>(configured.bandwidth);
    limits.fills.budget = std::make_shared<ConnectionBudget>(configured.max_connections);
  }
  Limits result = limits;
  result.fills.connections = configured.connections;
  return result;
}

void UpstreamLimits::apply(const config::Config& config) {
  for (const auto& configured : config.upstreams) {
    const auto limits = get(configured);
    limits.fills.budget->set_limit(configured.max_connections);
    limits.bandwidth->set_rate(configured.bandwidth, std::chrono::steady_clock::now());
  }
}

Result<std::shared_ptr<const UpstreamSet>> make_upstreams(const config::Config& config, const UpstreamParts& parts) {
  std::vector<UpstreamRule> rules;
  TlsContexts contexts;
  const auto addresses = std::make_shared<const HostAddresses>(config.resolve);
  UpstreamSet set{UpstreamSelector({}), {}, {}, config.offline, {}};
  for (const auto& configured : config.upstreams) {
    rules.push_back({configured.name, configured.allow, configured.is_default});
    if (configured.is_default) set.default_name = configured.name;
    set.configured.push_back({configured.name, configured.endpoints, configured.max_connections});
    // Offline nothing is ever too old: there is no upstream to come back.
    const auto patience = config.offline ? std::chrono::seconds::max() : configured.stale_if_error;
    const auto limits = parts.limits.get(configured);
    UpstreamSet::Entry entry{
        nullptr, {configured.tag_ttl, patience}, configured.deadlines.stall, limits.fills, limits.bandwidth};
    if (config.offline) {
      entry.upstream = std::make_shared<OfflineUpstream>(configured.name);
    } else {
      auto options = to_options(configured, config.server.manifest_limit, parts.proxy, contexts, addresses);
      if (!options) return std::unexpected(std::move(options).error().with("upstream " + configured.name));
      options->bandwidth = limits.bandwidth;
      entry.for_client = std::make_shared<const UpstreamSet::Entry::ForClient>(
          [options = *options, &client = parts.client, &clock = parts.clock,
           observer = parts.observer](const BasicCredentials& credentials) {
            auto own = options;
            own.username = credentials.user;
            own.password = credentials.password;
            return std::make_shared<HttpUpstream>(std::move(own), client, clock, observer);
          });
      entry.upstream = std::make_shared<HttpUpstream>(*std::move(options), parts.client, parts.clock, parts.observer);
    }
    set.entries.emplace(configured.name, std::move(entry));
  }
  if (!config.offline) add_mirrors(config, parts.clock, set);
  set.selector = UpstreamSelector(std::move(rules));
  return std::make_shared<const UpstreamSet>(std::move(set));
}

}  // namespace paddock
