// ConnectProxy: the way in through HTTPS_PROXY. A CONNECT to a host that is cached ends here, in a certificate made for
// that name; one to another host that is allowed is a tunnel; all else is refused.
//
// Thread-safe. answer() on any event loop; `pool` and `clock` must outlive these.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/ingress/certificate_authority.h"
#include "proxy/ingress/connect_rules.h"
#include "proxy/net/connect_answer.h"
#include "proxy/upstream/proxy_environment.h"
#include "storage/blocking_pool.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class ConnectProxy {
 public:
  struct Settings {
    ConnectRules rules{};
    std::shared_ptr<const CertificateAuthority> authority{};
    ProxyEnvironment proxy{};  // on the way to the far side of tunnels
    std::shared_ptr<const HostAddresses> addresses{};
  };
  // The Server's name for the address where it is: no upstream can have it.
  static constexpr std::string_view listener = "CONNECT";

  ConnectProxy(BlockingPool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

  // From now on. What is open stays so.
  void take(Settings settings);
  Task<ConnectAnswer> answer(const Request& request, const Url& target);
  // How long the CA is good for; nothing without one.
  [[nodiscard]] std::optional<std::chrono::days> days_left() const;
  // What must not be answered from the cache, of requests that came in through a CONNECT, or without one to its
  // address.
  [[nodiscard]] std::optional<Response> refusal(const Request& request) const;

 private:
  using Certificate = std::shared_ptr<const TlsServerContext>;
  struct Current {
    explicit Current(Settings given) : settings(std::move(given)) {}
    const Settings settings;
    struct Made {
      Certificate certificate;
      WallTime renew;
    };
    Mutex mutex;
    std::map<std::string, Made> made PADDOCK_GUARDED_BY(mutex);  // as many as there are hosts that end here
  };
  [[nodiscard]] std::shared_ptr<Current> current() const;
  Task<Result<Certificate>> certificate_for(std::shared_ptr<Current> current, std::string host);

  BlockingPool& pool_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<Current> current_ PADDOCK_GUARDED_BY(mutex_) = std::make_shared<Current>(Settings{});
};

}  // namespace paddock
