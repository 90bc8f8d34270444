#include "proxy/app.h"

#include <csignal>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/admin/log.h"
#include "proxy/cli/version.h"
#include "storage/posix_file_system.h"

namespace paddock {
namespace {

constexpr std::size_t blocking_threads = 8;
constexpr std::chrono::seconds maintenance_interval{10};
constexpr std::chrono::seconds fill_grace{5};  // for fills to end by themselves at shutdown
constexpr std::uint64_t token_limit = 4096;

LogOptions log_options(const config::LogOptions& options) {
  return {options.level, parse_log_format(options.format).value_or(LogFormat::text)};
}

}  // namespace

App::App(config::Config config, Reload reload)
    : config_(std::move(config)),
      reload_(std::move(reload)),
      metrics_({std::string(build_version()), std::string(build_commit()), build_compiler()},
               [this] { return readings(); }),
      pool_(blocking_threads) {}

App::~App() = default;

Result<void> App::start() {
  if (auto log = set_up_log(log_options(config_.log)); !log) return log;
  auto storage = Storage::open(config_.storage, clock_);
  if (!storage) return std::unexpected(std::move(storage).error());
  storage_ = *std::move(storage);
  auto proxy = ProxyEnvironment::read(&ProxyEnvironment::process_environment);
  if (!proxy) return std::unexpected(std::move(proxy).error());
  proxy_ = *std::move(proxy);
  loops_ = std::make_unique<EventLoops>(config_.server.threads);
  client_ = std::make_unique<HttpClient>(HttpClient::Options{.user_agent = "paddock/" + std::string(build_version())});
  if (auto listening = listen(); !listening) return listening;
  loops_->run();
  admin_server_->start();

  auto recovered =
      storage_->recover([this](const Digest& digest) { return fills_ && fills_->find(digest) != nullptr; });
  if (!recovered) return std::unexpected(std::move(recovered).error());
  recovery_ = *recovered;
  if (auto built = build(); !built) return built;
  registry_server_->start();
  ready_ = true;
  for (const auto& address : registry_server_->addresses()) {
    spdlog::info("paddock {} serving on {}, data in {}{}", build_version(), address, storage_->root().string(),
                 config_.offline ? ", offline" : "");
  }
  for (const auto& address : admin_server_->addresses()) spdlog::info("admin on {}", address);
  return {};
}

Result<void> App::listen() {
  auto observe = [this](const Exchange& exchange) {
    metrics_.record(exchange);
    access_log(exchange);
  };
  registry_server_ = std::make_unique<Server>(
      *loops_, pool_, Server::Options{}, [this](const Request& request) { return registry_->handle(request); },
      observe);
  auto token = admin_token();
  if (!token) return std::unexpected(std::move(token).error());
  admin_ = std::make_unique<AdminApi>(pool_, admin_data(), *std::move(token));
  admin_server_ = std::make_unique<Server>(
      *loops_, pool_, Server::Options{}, [this](const Request& request) { return admin_->handle(request); },
      [](const Exchange& exchange) { access_log(exchange); });

  std::shared_ptr<const TlsServerContext> tls;
  if (!config_.server.tls_certificate.empty()) {
    auto made = make_tls_server(config_.server.tls_certificate, config_.server.tls_key);
    if (!made) return std::unexpected(std::move(made).error());
    tls = *std::move(made);
  }
  for (const auto& address : config_.server.listen) {
    if (auto bound = registry_server_->listen(address, tls); !bound) return bound;
  }
  return admin_server_->listen(config_.admin.listen);
}

Result<std::string> App::admin_token() const {
  if (config_.admin.token_file.empty()) return std::string();
  PosixFileSystem fs;
  auto text = read_file(fs, config_.admin.token_file, token_limit);
  if (!text) return std::unexpected(std::move(text).error().with("admin.token_file"));
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) {
    return fail(ErrorCode::invalid_argument, Blame::us,
                config_.admin.token_file + " holds no token: write one into it");
  }
  return text;
}

Result<void> App::build() {
  auto set = make_upstreams(config_, upstream_parts());
  if (!set) return std::unexpected(std::move(set).error());
  for (const auto& upstream : config_.upstreams) metrics_.declare_upstream(upstream.name, upstream.endpoints);
  upstreams_ = std::make_unique<CurrentUpstreams>(*std::move(set));
  const auto negative_ttl = config_.tags.negative_ttl;
  fills_ = std::make_unique<FillCoordinator>(*loops_, pool_, storage_->blobs(), FillCoordinator::Options{});
  manifests_ = std::make_unique<ManifestSource>(pool_, storage_->catalog(), storage_->manifests(), clock_,
                                                ManifestSource::Options{.negative_ttl = negative_ttl});
  tags_ = std::make_unique<TagResolver>(pool_, storage_->catalog(), storage_->manifests(), *manifests_, clock_,
                                        TagResolver::Options{.negative_ttl = negative_ttl});
  registry_ = std::make_unique<RegistryHandler>(
      RegistryContext{pool_, storage_->catalog(), storage_->blobs(), *fills_, *manifests_, *tags_, *upstreams_});
  return {};
}

UpstreamParts App::upstream_parts() {
  UpstreamObserver observer;
  observer.on_request = [this](const std::string& upstream, int status, const std::string& endpoint) {
    metrics_.upstream_request(upstream, status);
    health_.note(upstream, status, endpoint);
  };
  observer.on_bytes = [this](const std::string& upstream, const std::string& endpoint, std::uint64_t bytes) {
    metrics_.upstream_bytes(upstream, endpoint, bytes);
  };
  return {*client_, clock_, proxy_, std::move(observer)};
}

void App::run() {
  watch_signals();
  maintain();
  main_loop_.run();
  if (stopper_.joinable()) stopper_.join();
}

// The first SIGTERM drains, a second one does not wait.
void App::watch_signals() {
  if (!draining_) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  }
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      if (!draining_) reload();
    } else if (draining_.exchange(true)) {
      spdlog::warn("told to stop again: aborting what is left");
      const MutexLock lock(servers_mutex_);
      if (registry_server_) registry_server_->abort();
    } else {
      stopper_ = std::thread([this] { stop(); });
    }
    watch_signals();
  });
}

void App::maintain() {
  maintenance_.expires_after(maintenance_interval);
  maintenance_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (auto written = storage_->last_use().flush(); !written) {
      spdlog::error("cannot write last uses: {}", written.error().context);
    }
    maintain();
  });
}

void App::reload() {
  auto loaded = reload_();
  if (!loaded) {
    spdlog::error("reload refused, going on as before: {}", loaded.error().context);
    return;
  }
  auto set = make_upstreams(*loaded, upstream_parts());
  if (!set) {
    spdlog::error("reload refused, going on as before: {}", set.error().context);
    return;
  }
  if (!loaded->server.tls_certificate.empty()) {
    auto tls = make_tls_server(loaded->server.tls_certificate, loaded->server.tls_key);
    if (!tls) {
      spdlog::error("reload refused, going on as before: {}", tls.error().context);
      return;
    }
    registry_server_->set_tls(*std::move(tls));
  }
  upstreams_->replace(*std::move(set));
  for (const auto& upstream : loaded->upstreams) metrics_.declare_upstream(upstream.name, upstream.endpoints);
  storage_->set_limits(loaded->storage);
  (void)set_log_level(loaded->log.level);
  const bool restart = loaded->server.listen != config_.server.listen ||
                       loaded->server.threads != config_.server.threads || loaded->admin != config_.admin ||
                       loaded->storage.path != config_.storage.path;
  config_.upstreams = std::move(loaded->upstreams);
  config_.offline = loaded->offline;
  config_.storage.max_size = loaded->storage.max_size;
  config_.storage.min_free = loaded->storage.min_free;
  spdlog::info("configuration reloaded{}", restart ? "; listen addresses, threads, admin and path need a restart" : "");
}

void App::stop() {
  const auto drain = config_.server.drain;
  spdlog::info("stopping; transfers have {} s to end", drain.count());
  if (!registry_server_->drain(drain)) spdlog::warn("not all transfers ended in time; aborting them");
  registry_server_->abort();
  if (!fills_->stop(fill_grace)) spdlog::info("{} fills were still running", fills_->stats().running);
  admin_server_->abort();
  loops_->stop();
  pool_.join();
  if (auto flushed = storage_->flush(); !flushed)
    spdlog::error("cannot flush the catalog: {}", flushed.error().context);
  // Sockets go before the loops they belong to, waiting coroutines with their loops, then what these refer to.
  client_->close_idle();
  {
    const MutexLock lock(servers_mutex_);
    registry_server_.reset();
    admin_server_.reset();
  }
  loops_.reset();
  spdlog::info("stopped");
  main_loop_.stop();
}

}  // namespace paddock
