// App: the composition root. Builds everything from the configuration, starts it, keeps it running, stops it.
//
//   start()  lock the data folder -> listen -> recover -> serve
//   run()    until SIGTERM or SIGINT; SIGHUP reloads what can be reloaded, once started
//   stop()   stop accepting -> drain -> end fills -> end loops -> flush; a disk that hangs is not waited for
// One for a process, used from the main thread. start() fails with what the operator must do.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/options.h"
#include "proxy/admin/admin_api.h"
#include "proxy/admin/image_list.h"
#include "proxy/admin/metrics.h"
#include "proxy/app_reload.h"
#include "proxy/app_storage.h"
#include "proxy/app_upstreams.h"
#include "proxy/app_warm.h"
#include "proxy/fill/coordinator.h"
#include "proxy/fill/uncached_streams.h"
#include "proxy/ingress/client_auth.h"
#include "proxy/ingress/connect_proxy.h"
#include "proxy/ingress/loop_guard.h"
#include "proxy/ingress/upstream_set.h"
#include "proxy/net/client.h"
#include "proxy/net/event_loops.h"
#include "proxy/net/kernel_tls.h"
#include "proxy/net/seldom.h"
#include "proxy/net/server.h"
#include "proxy/registry/handler.h"
#include "proxy/registry/private_access.h"
#include "proxy/tags/resolver.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class App {
 public:
  using Reload = std::function<Result<config::Config>()>;

  App(config::Config config, Reload reload);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  Result<void> start();
  void run();

 private:
  Result<void> bring_up();
  Result<void> listen(std::uint64_t descriptors);
  using Certificate = std::shared_ptr<const TlsServerContext>;  // nothing: no TLS
  Result<Certificate> make_tls(const config::ServerOptions& server);
  Result<Certificate> read_certificate(const config::ServerOptions& server);
  static Result<std::optional<Htpasswd>> read_passwords(const config::ServerOptions& server);
  void take(const Certificate& certificate);
  Result<void> listen_for_upstreams(const Certificate& certificate);
  [[nodiscard]] Result<ConnectProxy::Settings> connect_settings(const config::Config& config) const;
  void warn_of_the_authority();
  Task<ConnectAnswer> answer_connect(const Request& request, const Url& target);
  Task<void> take_changed_files();
  Result<void> recover();
  void serve_registry();
  void commit_whole_fills();
  Task<Response> answer_registry(const Request& request);
  Task<Response> answer_known(const Request& request);
  Task<Response> answer_anybody(const Request& request);
  static Task<Response> answer_not_yet();
  static Task<Response> answer_with(Response refused);
  [[nodiscard]] bool lends_its_name(std::string_view upstream) const;
  static Headers refusal_headers();
  Result<void> build(RuleSet rules);
  Result<std::string> admin_token() const;
  static Result<std::optional<std::string>> reread_admin_token(const config::Config& config);
  void take_admin_token(const std::optional<std::string>& token, std::vector<std::string>& taken);
  void watch_signals();
  void told_while_starting(int signal);
  void begin_stop();
  Task<void> maintain();
  void limit_the_rest();
  void reload();
  void stop();

  [[nodiscard]] std::vector<std::string> not_ready() const;
  [[nodiscard]] std::vector<std::string> unusable(std::string reason, const Error& error) const;
  [[nodiscard]] AdminData admin_data();
  [[nodiscard]] StatusReport status();
  [[nodiscard]] std::optional<TlsReport> tls_report() const;
  [[nodiscard]] std::vector<FillReport> fill_reports() const;
  [[nodiscard]] std::optional<BlobProgress> on_its_way(const Digest& digest) const;
  [[nodiscard]] Readings readings();
  void declare_upstreams();
  void put_warm_readings(Readings& readings) const;
  [[nodiscard]] WarmData warm_data();
  void add_pins(AdminData& data);
  Result<PinRecord> pin(const PinOrder& order);
  Result<PinRecord> unpin(const std::string& reference);
  [[nodiscard]] UpstreamParts upstream_parts();

  config::Config config_;
  const Reload reload_;
  const SystemClock clock_;
  const WallTime started_ = clock_.wall();
  std::atomic<bool> ready_{false}, draining_{false};
  std::atomic<std::optional<KernelTls>> tls_{};          // nothing: no TLS
  Mutex ready_mutex_;                                    // held where ready_ is set, and where a signal looks at it
  std::timed_mutex opening_;                             // held while the catalog is opened
  bool serving_ = false;                                 // the registry side; of the starting thread
  std::atomic<std::uint64_t> checked_{0}, to_check_{0};  // blobs, of a rebuild
  RecoveryReport recovery_;
  ProxyEnvironment proxy_;
  UpstreamHealth health_;
  UpstreamLimits limits_;
  Metrics metrics_;
  BlockingPool pool_;
  BlockingPool commits_;    // syncing a layer of gigabytes must not hold up hits
  BlockingPool passwords_;  // nor strangers who guess
  ClientAuth auth_{passwords_, {}};
  ConnectProxy connect_proxy_{pool_, clock_};
  const LoopGuard loop_guard_;
  const RegistryLogin login_{clock_, [this](std::string_view name) { return lends_its_name(name); }};
  PrivateAccess private_access_{clock_};
  SteadyTime next_warning_{};                        // of main_loop_
  WatchedFiles certificate_files_, password_files_;  // of main_loop_, once started
  std::unique_ptr<Storage> storage_;
  mutable Mutex unusable_mutex_;
  mutable Seldom unusable_reports_ PADDOCK_GUARDED_BY(unusable_mutex_);
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<CurrentUpstreams> upstreams_;
  std::unique_ptr<FillCoordinator> fills_;
  std::unique_ptr<UncachedStreams> uncached_;
  std::unique_ptr<ManifestSource> manifests_;
  std::unique_ptr<TagResolver> tags_;
  std::unique_ptr<RegistryHandler> registry_;
  EventHub events_{{}};
  std::unique_ptr<WarmUp> warm_;
  std::unique_ptr<AdminApi> admin_;
  std::unique_ptr<Server> registry_server_, admin_server_;

  bool starting_ = true, reload_wanted_ = false, stop_wanted_ = false;  // of the thread that runs main_loop_
  Mutex servers_mutex_;  // held where the servers go, and where a second signal aborts them
  std::thread stopper_;
  std::uint64_t lost_lines_ = 0;  // of the log, when it was last said
  asio::io_context main_loop_;
  asio::signal_set signals_{main_loop_};
  asio::steady_timer maintenance_{main_loop_}, rest_{main_loop_};
};

}  // namespace paddock
