#include "proxy/app.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <utility>

#include "config/validate.h"
#include "proxy/admin/log.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/version.h"
#include "proxy/cli/warm_rules.h"
#include "proxy/net/descriptor_budget.h"

namespace paddock {
namespace {

constexpr std::size_t blocking_threads = 8, commit_threads = 2, password_threads = 1;
constexpr std::chrono::seconds maintenance_interval{10};
constexpr std::chrono::seconds fill_grace{5};         // for fills to end by themselves at shutdown
constexpr std::chrono::seconds rest_limit{10};        // of a stop, for all that comes after the transfers
constexpr std::chrono::seconds opening_patience{10};  // of one who is told to stop while the catalog opens
constexpr std::size_t few_clients = 1000;
constexpr std::size_t admin_body_limit = std::size_t{256} * 1024;  // bytes: a thousand images by name

void unblock(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

LogOptions log_options(const config::LogOptions& options) {
  return {options.level, parse_log_format(options.format).value_or(LogFormat::text)};
}

FillCoordinator::OnAbandon on_abandon(const config::FillOptions& options) {
  return options.on_abandon == "pause" ? FillCoordinator::OnAbandon::pause : FillCoordinator::OnAbandon::finish;
}

}  // namespace

App::App(config::Config config, Reload reload)
    : config_(std::move(config)),
      reload_(std::move(reload)),
      metrics_({std::string(build_version()), std::string(build_commit()), build_compiler()},
               [this] { return readings(); }),
      pool_(blocking_threads),
      commits_(commit_threads),
      passwords_(password_threads) {}

// After a start that failed: what has begun ends before what it refers to goes.
App::~App() {
  if (!loops_) return;
  for (auto* const server : {registry_server_.get(), admin_server_.get()}) {
    if (server != nullptr) server->abort();
  }
  loops_->stop();
  pool_.join();
  commits_.join();
  auth_.stop();
  passwords_.join();
}

// Signals count from the first moment on: a start may take minutes when the catalog has to be rebuilt.
Result<void> App::start() {
  if (auto log = set_up_log(log_options(config_.log)); !log) return log;  // before there is a thread that logs
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
  unblock(SIGHUP);  // main() holds it back until here
  watch_signals();
  std::thread watcher([this] { main_loop_.run(); });
  auto started = bring_up();
  main_loop_.stop();
  watcher.join();
  main_loop_.restart();
  starting_ = false;
  if (started && reload_wanted_) asio::post(main_loop_, [this] { reload(); });
  if (started && stop_wanted_) asio::post(main_loop_, [this] { begin_stop(); });
  return started;
}

Result<void> App::bring_up() try {
  const auto descriptors = raise_descriptor_limit();
  if (auto enough = enough_descriptors(descriptors); !enough) return enough;
  auto rules = make_rules(config_);
  if (!rules) return std::unexpected(std::move(rules).error());
  auto storage = Storage::open(config_.storage, clock_);
  if (!storage) return std::unexpected(std::move(storage).error());
  storage_ = *std::move(storage);
  auto proxy = ProxyEnvironment::read(&ProxyEnvironment::process_environment);
  if (!proxy) return std::unexpected(std::move(proxy).error());
  proxy_ = *std::move(proxy);
  loops_ = std::make_unique<EventLoops>(config_.server.threads);
  client_ = std::make_unique<HttpClient>(
      HttpClient::Options{.user_agent = "paddock/" + std::string(build_version()), .via = loop_guard_.via()});
  auto set = make_upstreams(config_, upstream_parts());
  if (!set) return std::unexpected(std::move(set).error());
  upstreams_ = std::make_unique<CurrentUpstreams>(*std::move(set));
  if (auto listening = listen(descriptors); !listening) return listening;
  loops_->run();
  admin_server_->start();

  if (auto recovered = recover(); !recovered) return recovered;
  if (auto built = build(*std::move(rules)); !built) return built;
  commit_whole_fills();
  // Before anybody may ask for a warm-up: what is on disk by then is the last process's.
  if (auto begun = warm_->start(); !begun) spdlog::error("warm-ups cannot be taken up: {}", begun.error().context);
  {
    const MutexLock lock(ready_mutex_);
    ready_ = true;
  }
  serve_registry();
  for (const auto& [address, name] : registry_server_->doors()) {
    const auto what = name.empty() ? "serving" : name == ConnectProxy::listener ? "proxy for HTTPS" : "serving " + name;
    spdlog::info("paddock {} {} on {}, data in {}{}", build_version(), what, address, storage_->root().string(),
                 config_.offline ? ", offline" : "");
  }
  for (const auto& address : admin_server_->addresses()) spdlog::info("admin on {}", address);
  return {};
} catch (const std::exception& e) {
  return fail(ErrorCode::io, Blame::us, fmt::format("cannot start: {}", e.what()));
}

Result<void> App::listen(std::uint64_t descriptors) {
  auto observe = [this](const Exchange& exchange) {
    metrics_.record(exchange);
    access_log(exchange);
  };
  const auto budget = share_descriptors(descriptors);
  if (budget.clients < few_clients) {
    spdlog::warn("the limit on open files, {}, lets in {} clients at a time: raise it (ulimit -n, LimitNOFILE=)",
                 descriptors, budget.clients);
  }
  registry_server_ = std::make_unique<Server>(
      *loops_, pool_,
      Server::Options{
          .connection_limit = budget.clients,
          .descriptors = budget.descriptors,
          .header_timeout = config_.server.deadlines.header,
          .idle_timeout = config_.server.deadlines.idle,
          .send_timeout = config_.server.deadlines.stall,
          .request_bodies = false,
          .refusal_headers = refusal_headers(),
          .connect = [this](const Request& request, const Url& target) { return answer_connect(request, target); }},
      [this](const Request& request) { return answer_registry(request); }, observe);
  auto token = admin_token();
  if (!token) return std::unexpected(std::move(token).error());
  admin_ = std::make_unique<AdminApi>(pool_, admin_data(), *std::move(token));
  admin_server_ = std::make_unique<Server>(
      *loops_, pool_, Server::Options{.body_limit = admin_body_limit, .connection_limit = budget.admin},
      [this](const Request& request) { return admin_->handle(request); },
      [](const Exchange& exchange) { access_log(exchange); });

  for (const auto& doubt : config::doubts(config_)) spdlog::warn("{}", doubt);
  const auto& server = config_.server;
  certificate_files_.took(fingerprint({server.tls_certificate, server.tls_key}));
  password_files_.took(fingerprint({server.auth_htpasswd}));
  const auto certificate = read_certificate(server);
  if (!certificate) return std::unexpected(certificate.error());
  auto passwords = read_passwords(server);
  if (!passwords) return std::unexpected(std::move(passwords).error());
  auth_.require(*std::move(passwords), server.auth_anonymous_pull);
  for (const auto& address : server.listen) {
    auto bound = registry_server_->listen(address, *certificate);
    if (!bound) return std::unexpected(std::move(bound).error().with("server.listen (--listen)"));
  }
  if (auto bound = listen_for_upstreams(*certificate); !bound) return bound;
  auto bound = admin_server_->listen(config_.admin.listen);
  if (!bound) return std::unexpected(std::move(bound).error().with("admin.listen (--admin)"));
  return {};
}

Result<std::string> App::admin_token() const {
  if (config_.admin.token_file.empty()) return std::string();
  auto token = read_secret(config_.admin.token_file, "token");
  if (!token) return std::unexpected(std::move(token).error().with("admin.token_file"));
  return token;
}

Result<void> App::build(RuleSet rules) {
  declare_upstreams();
  const auto negative_ttl = config_.tags.negative_ttl;
  fills_ = std::make_unique<FillCoordinator>(
      *loops_, pool_, storage_->blobs(),
      FillCoordinator::Options{
          .at_once = config_.fills.at_once, .on_abandon = on_abandon(config_.fills), .commits = &commits_});
  uncached_ = std::make_unique<UncachedStreams>(*loops_, pool_, UncachedStreams::Options{});
  manifests_ = std::make_unique<ManifestSource>(pool_, storage_->catalog(), storage_->manifests(), clock_,
                                                ManifestSource::Options{.negative_ttl = negative_ttl});
  tags_ = std::make_unique<TagResolver>(pool_, storage_->catalog(), storage_->manifests(), *manifests_, clock_,
                                        TagResolver::Options{.negative_ttl = negative_ttl});
  warm_ = std::make_unique<WarmUp>(
      WarmUp::Parts{*loops_, pool_, *storage_, *fills_, *manifests_, *tags_, *upstreams_, clock_, events_},
      std::move(rules));
  registry_ = std::make_unique<RegistryHandler>(
      RegistryContext{.pool = pool_,
                      .catalog = storage_->catalog(),
                      .blobs = storage_->blobs(),
                      .fills = *fills_,
                      .uncached = *uncached_,
                      .manifests = *manifests_,
                      .tags = *tags_,
                      .upstreams = *upstreams_,
                      .on_pull = [this](const auto& repository, const auto& tag) { warm_->note_pull(repository, tag); },
                      .private_access = &private_access_,
                      .login = &login_});
  return {};
}

// What the last process had fetched, but was killed before it stored it.
void App::commit_whole_fills() {
  auto whole = storage_->whole_fills();
  if (whole.empty()) return;
  spdlog::info("{} blobs were fetched to their last byte and not stored yet: done in the background", whole.size());
  asio::co_spawn(loops_->next(), fills_->commit_whole(std::move(whole)), asio::detached);
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
  return {*client_, clock_, proxy_, limits_, std::move(observer)};
}

void App::run() {
  asio::co_spawn(main_loop_, maintain(), asio::detached);
  main_loop_.run();
  if (stopper_.joinable()) stopper_.join();
}

// The first SIGTERM drains, a second one does not wait.
void App::watch_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (starting_) {
      told_while_starting(signal);
    } else if (signal == SIGHUP) {
      if (!draining_) reload();
    } else if (draining_) {
      spdlog::warn("told to stop again: aborting what is left");
      const MutexLock lock(servers_mutex_);
      if (registry_server_) registry_server_->abort();
    } else {
      begin_stop();
    }
    watch_signals();
  });
}

void App::begin_stop() {
  if (!draining_.exchange(true)) stopper_ = std::thread([this] { stop(); });
}

// Whatever recovery is at, it has to cope with being killed there: no reason to let anybody wait for its end. Once
// clients are served they are let finish, as soon as the last of the start is done.
void App::told_while_starting(int signal) {
  if (signal == SIGHUP) {
    reload_wanted_ = true;
    return;
  }
  const MutexLock lock(ready_mutex_);
  if (ready_) {
    stop_wanted_ = true;
    return;
  }
  spdlog::info("told to stop while starting");
  // An opening that was cut short looks as if the catalog had aborted the process. One that hangs is not waited for.
  const std::unique_lock opened(opening_, opening_patience);
  flush_log();
  std::_Exit(0);
}

// Ends when the stop begins, on the same thread: nothing is left to the pool once that is told to end.
Task<void> App::maintain() {
  for (;;) {
    maintenance_.expires_after(maintenance_interval);
    co_await maintenance_.async_wait(asio::use_awaitable);
    if (draining_) co_return;
    co_await take_changed_files();
    if (draining_) co_return;
    const auto written = co_await pool_.run([this] { return storage_->last_use().flush(); });
    if (!written) spdlog::error("cannot write last uses: {}", written.error().context);
    if (draining_) co_return;
    private_access_.forget_idle();
    warn_of_the_authority();
    const auto noted = co_await pool_.run([this] { return warm_->flush(); });
    if (!noted) spdlog::error("cannot write what clients pulled: {}", noted.error().context);
    if (const auto lost = lost_log_lines(); lost != std::exchange(lost_lines_, lost)) {
      spdlog::warn("{} lines of this log were lost so far: who reads it is too slow", lost);
    }
  }
}

// A thread that waits for a disk cannot be told to end; what it was at survives being killed.
void App::limit_the_rest() {
  rest_.expires_after(rest_limit);
  rest_.async_wait([](const boost::system::error_code& error) {
    if (error) return;
    spdlog::error("not stopped {} s after the transfers ended, the disk may hang: exiting without the rest",
                  rest_limit.count());
    flush_log();
    std::_Exit(1);
  });
}

void App::stop() {
  const auto drain = config_.server.drain;
  spdlog::info("stopping; transfers have {} s to end", drain.count());
  warm_->stop();
  if (!registry_server_->drain(drain)) spdlog::warn("not all transfers ended in time; aborting them");
  registry_server_->abort();
  asio::post(main_loop_, [this] { limit_the_rest(); });
  if (!fills_->stop(fill_grace)) spdlog::info("{} fills were still running", fills_->stats().running);
  admin_server_->abort();
  loops_->stop();
  pool_.join();
  commits_.join();
  auth_.stop();
  passwords_.join();
  if (auto noted = warm_->flush(); !noted) spdlog::error("cannot write what clients pulled: {}", noted.error().context);
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
