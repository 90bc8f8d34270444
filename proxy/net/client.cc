#include "proxy/net/client.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>

#include "proxy/net/client_message.h"
#include "proxy/net/client_response.h"
#include "proxy/net/connect.h"
#include "proxy/net/connection_pool.h"

namespace paddock {
namespace {

PoolKey key_of(const ClientRequest& request, const asio::any_io_executor& executor) {
  PoolKey key;
  key.loop = &asio::query(executor, asio::execution::context);
  // In plain HTTP the proxy takes requests for any origin, but sharing its connections between origins buys little.
  key.origin = request.url.origin();
  if (request.proxy) key.proxy = request.proxy->user + ":" + request.proxy->password + "@" + request.proxy->origin();
  if (request.url.tls) key.tls = request.tls;
  key.addresses = request.addresses;
  key.public_addresses_only = request.public_addresses_only;
  return key;
}

}  // namespace

struct HttpClient::State {
  explicit State(Options given)
      : options(std::move(given)),
        pool(std::make_shared<ConnectionPool>(options.idle_per_origin, options.idle_timeout)) {}
  const Options options;
  const std::shared_ptr<ConnectionPool> pool;
};

HttpClient::HttpClient(Options options) : state_(std::make_shared<State>(std::move(options))) {}
HttpClient::~HttpClient() = default;
void HttpClient::close_idle() { state_->pool->close_all(); }

Task<Result<std::unique_ptr<ClientResponse>>> HttpClient::send(ClientRequest request) {
  const auto state = state_;
  if (!state->options.via.empty()) request.headers.set("Via", state->options.via);
  auto rendered = render_request(request, state->options.user_agent);
  if (!rendered) co_return std::unexpected(std::move(rendered).error());
  const auto key = key_of(request, co_await asio::this_coro::executor);
  const HttpResponse::Wire wire{std::move(*rendered), request.method, request.url.authority(),
                                state->options.header_limit, request.deadlines};
  if (auto kept = state->pool->take(key)) {
    auto response = std::make_unique<HttpResponse>(std::move(kept), HttpResponse::Home{state->pool, key}, wire);
    const auto started = co_await response->start();
    if (started) co_return response;
    const bool was_dead = response->untouched() && started.error().code == ErrorCode::unavailable;
    if (!was_dead || !repeatable(request.method)) co_return std::unexpected(started.error());
  }
  const ConnectPlan plan{.url = request.url,
                         .proxy = request.proxy,
                         .tls = request.tls,
                         .addresses = request.addresses,
                         .public_addresses_only = request.public_addresses_only};
  auto connection = co_await open_connection(plan, std::chrono::steady_clock::now() + request.deadlines.connect);
  if (!connection) co_return std::unexpected(std::move(connection).error());
  auto response = std::make_unique<HttpResponse>(std::move(*connection), HttpResponse::Home{state->pool, key}, wire);
  const auto started = co_await response->start();
  if (!started) co_return std::unexpected(started.error());
  co_return response;
}

Task<Result<std::string>> read_all(ClientResponse& response, std::size_t limit) {
  const auto too_large = [limit] {
    return fail(ErrorCode::too_large, Blame::upstream, "the answer is larger than " + std::to_string(limit) + " bytes");
  };
  std::string body;
  std::string piece(std::size_t{16} * 1024, '\0');
  for (;;) {
    auto got = co_await response.read(std::as_writable_bytes(std::span(piece)));
    if (!got) co_return std::unexpected(std::move(got).error());
    if (*got == 0) co_return body;
    if (*got > limit - body.size()) co_return too_large();
    body.append(piece, 0, *got);
  }
}

}  // namespace paddock
