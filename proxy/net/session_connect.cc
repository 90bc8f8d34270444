// The part of Session that answers CONNECT (RFC 9110, 9.3.6).
#include <utility>

#include "proxy/net/connect.h"
#include "proxy/net/counted.h"
#include "proxy/net/relay.h"
#include "proxy/net/session.h"

namespace paddock {
namespace {

constexpr std::string_view route = "connect";

constexpr std::size_t tunnel_share = 4;  // one of so many connections may be a tunnel

int status_of(const Error& error) {
  if (error.code == ErrorCode::denied) return 403;
  return error.code == ErrorCode::timeout ? 504 : 502;
}

Response refusal(const SessionEnvironment& environment, int status, std::string_view code, std::string_view message) {
  auto response = environment.refuse({status, code, message});
  response.route = route;
  response.log_note = message;
  return response;
}

}  // namespace

Task<bool> Session::connect(Received& received) {
  const auto refuse = [this](int status, std::string_view message) {
    return refusal(*environment_, status, "UNSUPPORTED", message);
  };
  const auto target = Url::parse_authority(received.request.path);
  if (!environment_->options.connect || !target) {
    received.keep_alive = false;
    co_return co_await send(received, refuse(405, "CONNECT is not offered here"));
  }
  // TLS reads from the socket itself: what has come already would be lost on it.
  if (buffer_.size() != 0) {
    received.keep_alive = false;
    co_return co_await send(received, refuse(400, "bytes came before the tunnel was open"));
  }
  if (!environment_->has_descriptors()) co_return co_await send(received, refuse(503, "too many requests"));
  ConnectAnswer answer;
  std::string bug;
  try {
    answer = co_await environment_->options.connect(received.request, *target);
  } catch (const std::exception& e) {
    bug = e.what();
  }
  if (!bug.empty()) co_return co_await send(received, internal_error(received, std::move(bug)));
  if (auto* const end = std::get_if<EndHere>(&answer)) {
    connect_host_ = target->authority();
    co_return co_await end_here(received, std::move(*end));
  }
  if (auto* const open = std::get_if<OpenTunnel>(&answer)) {
    co_return co_await tunnel(received, std::move(*open), *target);
  }
  co_return co_await send(received, std::get<Response>(std::move(answer)));
}

Task<std::string> Session::say_open() {
  constexpr std::string_view opened = "HTTP/1.1 200 Connection established\r\n\r\n";
  const auto failed = co_await connection_.write({asio::buffer(opened), {}}, environment_->options.header_timeout);
  co_return failed ? failed.message() : std::string();
}

Task<bool> Session::end_here(const Received& received, EndHere end) {
  auto failure = co_await say_open();
  const auto opened = received.age();
  busy_ = false;  // a stop need not wait for a client that may never begin with its TLS
  if (failure.empty() && !environment_->draining) {
    connection_.deadline(environment_->options.header_timeout);
    tls_ = std::move(end.tls);
    failure = co_await connection_.start_tls_server(*tls_);
    tls_name_ = connection_.tls_name();
    if (failure.empty()) ++environment_->tls_by_openssl;
    first_ = true;
  }
  observe_connect(received, opened, 0, failure);
  const bool goes_on = failure.empty();
  co_return goes_on;
}

Task<bool> Session::tunnel(const Received& received, OpenTunnel open, Url target) {
  const auto& options = environment_->options;
  const ConnectPlan plan{.url = std::move(target),
                         .proxy = std::move(open.proxy),
                         .addresses = std::move(open.addresses),
                         .public_addresses_only = open.public_addresses_only,
                         .tunnel = true,
                         .lookups = environment_->tunnel_lookups.get_executor()};
  const Counted counted(environment_->tunnels);
  if (environment_->tunnels > options.connection_limit / tunnel_share) {
    co_return co_await send(received, refusal(*environment_, 503, "UNAVAILABLE", "too many tunnels"));
  }
  auto far = co_await open_connection(plan, std::chrono::steady_clock::now() + options.tunnel_connect);
  if (!far) {
    const auto& error = far.error();
    co_return co_await send(received, refusal(*environment_, status_of(error), "UNAVAILABLE", error.context));
  }
  auto failure = co_await say_open();
  const auto opened = received.age();
  std::uint64_t bytes = 0;
  if (failure.empty()) {
    connection_.no_deadline();
    Relay relay(connection_, **far, environment_->draining ? options.farewell : options.tunnel_silence);
    relay_ = &relay;
    auto relayed = co_await relay.run();
    relay_ = nullptr;
    bytes = relayed.to_first;
    failure = std::move(relayed.failure);
  }
  observe_connect(received, opened, bytes, failure);
  co_return false;
}

void Session::observe_connect(const Received& received, std::chrono::microseconds opened, std::uint64_t bytes,
                              const std::string& failure) {
  if (!environment_->observe) return;
  Response response;
  response.route = route;
  response.cache = "bypass";
  environment_->observe({received.request, response, bytes, opened, received.age(), !failure.empty(), failure});
}

}  // namespace paddock
