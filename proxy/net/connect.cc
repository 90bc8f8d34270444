#include "proxy/net/connect.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "proxy/net/address_policy.h"
#include "proxy/net/proxy_tunnel.h"

namespace paddock {
namespace {

using asio::ip::tcp;
using Time = std::chrono::steady_clock::time_point;
using Endpoints = std::vector<tcp::endpoint>;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t max_addresses = 8;

std::unexpected<Error> late(std::string doing) {
  return fail(ErrorCode::timeout, Blame::upstream, std::move(doing) + ": no answer in time", true);
}
std::unexpected<Error> unreachable(std::string doing, const std::string& why, bool retryable = true) {
  return fail(ErrorCode::unavailable, Blame::upstream, std::move(doing) + ": " + why, retryable);
}

// The system's resolver cannot be interrupted: who waits for it leaves when time is up, the answer comes to nobody.
struct Lookup {
  Lookup(const asio::any_io_executor& where, const asio::any_io_executor& loop) : resolver(where), done(loop) {}
  tcp::resolver resolver;
  asio::steady_timer done;
  bool finished = false;
  boost::system::error_code error;
  Endpoints endpoints;
};

Task<Result<Endpoints>> look_up(Url url, std::optional<asio::any_io_executor> where, Time deadline) {
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  const auto lookup = std::make_shared<Lookup>(where.value_or(loop), loop);
  lookup->done.expires_at(deadline);
  auto take = [lookup](boost::system::error_code error, const tcp::resolver::results_type& found) {
    lookup->finished = true;
    lookup->error = error;
    for (const auto& entry : found) lookup->endpoints.push_back(entry.endpoint());
    lookup->done.cancel();
  };
  lookup->resolver.async_resolve(url.host, std::to_string(url.port), tcp::resolver::flags(),
                                 asio::bind_executor(loop, std::move(take)));
  co_await lookup->done.async_wait(as_tuple);
  if (!lookup->finished) {
    lookup->resolver.cancel();  // if it is still in line it costs nobody any time
    co_return late("looking up " + url.host);
  }
  if (lookup->error) co_return unreachable("looking up " + url.host, lookup->error.message());
  co_return std::move(lookup->endpoints);
}

const std::vector<std::string>* known_addresses(const ConnectPlan& plan, const Url& url) {
  if (!plan.addresses) return nullptr;
  const auto found = plan.addresses->find(url.host);
  return found == plan.addresses->end() ? nullptr : &found->second;
}

Task<Result<Endpoints>> addresses_of(Url url, const std::vector<std::string>* known,
                                     std::optional<asio::any_io_executor> where, Time deadline) {
  boost::system::error_code error;
  if (known != nullptr) {
    Endpoints endpoints;
    for (const auto& address : *known) endpoints.emplace_back(asio::ip::make_address(address, error), url.port);
    if (error) co_return unreachable("looking up " + url.host, "an address that it is given is none", false);
    co_return endpoints;
  }
  const auto literal = asio::ip::make_address(url.host, error);
  if (!error) co_return Endpoints{tcp::endpoint(literal, url.port)};
  co_return co_await look_up(std::move(url), std::move(where), deadline);
}

// Each address gets its share of the time that is left, so that a dead first one does not use it up.
Task<Result<std::unique_ptr<Connection>>> dial(Endpoints endpoints, std::string authority, Time deadline) {
  const auto executor = co_await asio::this_coro::executor;
  endpoints.resize(std::min(endpoints.size(), max_addresses));
  boost::system::error_code error = asio::error::host_not_found;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) co_return late("connecting to " + authority);
    auto connection = std::make_unique<Connection>(Connection::Socket(executor));
    connection->deadline_at(now + (deadline - now) / (endpoints.size() - i));
    const auto [failed] = co_await connection->socket().async_connect(endpoints[i], as_tuple);
    error = connection->cause(failed);
    if (error) continue;
    connection->socket().set_option(tcp::no_delay(true), error);
    connection->deadline_at(deadline);
    co_return connection;
  }
  if (error == asio::error::timed_out) co_return late("connecting to " + authority);
  co_return unreachable("connecting to " + authority, error.message());
}

Result<void> check(const ConnectPlan& plan) {
  if (plan.url.tls && !plan.tunnel && plan.tls == nullptr) {
    return fail(ErrorCode::invalid_argument, Blame::us, "https needs a TLS context");
  }
  if (plan.proxy && plan.proxy->tls) {
    return fail(ErrorCode::unsupported, Blame::us, "a forward proxy is spoken to in plain HTTP: give it as http://");
  }
  // The look-up is the proxy's, so only what the URL itself says can be judged here.
  if (plan.public_addresses_only && known_addresses(plan, plan.url) == nullptr &&
      names_private_address(plan.url.host)) {
    return fail(ErrorCode::denied, Blame::upstream, plan.url.host + " is not an address of the public Internet");
  }
  return {};
}

Task<Result<void>> secure(Connection& connection, const ConnectPlan& plan) {
  if (plan.proxy) {
    auto tunnel = co_await open_tunnel(connection, plan.url, *plan.proxy);
    if (connection.timed_out()) co_return late("waiting for the proxy " + plan.proxy->authority());
    if (!tunnel) co_return std::unexpected(std::move(tunnel).error().with(plan.proxy->authority()));
  }
  if (plan.tunnel) co_return Result<void>();
  const auto why = co_await connection.start_tls_client(*plan.tls, plan.url.host);
  if (connection.timed_out()) co_return late("TLS with " + plan.url.authority());
  if (why.empty()) co_return Result<void>();
  co_return unreachable("connecting to " + plan.url.authority(), why, !why.contains("certificate"));
}

}  // namespace

Task<Result<std::unique_ptr<Connection>>> open_connection(ConnectPlan plan, Time deadline) {
  if (auto checked = check(plan); !checked) co_return std::unexpected(std::move(checked).error());
  const Url& first_hop = plan.proxy ? *plan.proxy : plan.url;
  const auto* const known = known_addresses(plan, first_hop);
  auto endpoints = co_await addresses_of(first_hop, known, plan.lookups, deadline);
  if (!endpoints) co_return std::unexpected(std::move(endpoints).error());
  if (plan.public_addresses_only && !plan.proxy && known == nullptr) {
    std::erase_if(*endpoints, [](const tcp::endpoint& endpoint) { return !is_public_address(endpoint.address()); });
    if (endpoints->empty()) {
      co_return fail(ErrorCode::denied, Blame::upstream, plan.url.host + " leads to an address that is not public");
    }
  }
  auto connection = co_await dial(std::move(*endpoints), first_hop.authority(), deadline);
  if (!connection) co_return connection;
  if (plan.url.tls || plan.tunnel) {
    auto secured = co_await secure(**connection, plan);
    if (!secured) co_return std::unexpected(std::move(secured).error());
  }
  (*connection)->no_deadline();
  co_return connection;
}

}  // namespace paddock
