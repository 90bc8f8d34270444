#include "proxy/net/unix_client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/un.h>
#include <utility>

#include "proxy/net/client_message.h"
#include "proxy/net/client_response.h"

namespace paddock {
namespace {

constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t header_limit = std::size_t{64} * 1024;

Task<Result<std::unique_ptr<Connection>>> connect_to(std::string path, std::chrono::milliseconds patience) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return fail(ErrorCode::invalid_argument, Blame::client, path + ": no path for a socket");
  }
  auto connection = std::make_unique<Connection>(Connection::Socket(co_await asio::this_coro::executor));
  connection->deadline(patience);
  const auto [failed] =
      co_await connection->socket().async_connect(asio::local::stream_protocol::endpoint(path), as_tuple);
  if (const auto error = connection->cause(failed)) {
    const bool denied = error == boost::system::errc::permission_denied;
    co_return fail(denied ? ErrorCode::denied : ErrorCode::unavailable, Blame::upstream, path + ": " + error.message());
  }
  connection->no_deadline();
  co_return connection;
}

}  // namespace

Task<Result<std::unique_ptr<ClientResponse>>> send_to_socket(std::string path, ClientRequest request) {
  auto rendered = render_request(request, "paddock");
  if (!rendered) co_return std::unexpected(std::move(rendered).error());
  auto connection = co_await connect_to(path, request.deadlines.connect);
  if (!connection) co_return std::unexpected(std::move(connection).error());
  const HttpResponse::Wire wire{*std::move(rendered), request.method, path, header_limit, request.deadlines};
  auto response = std::make_unique<HttpResponse>(*std::move(connection), HttpResponse::Home{}, wire);
  const auto started = co_await response->start();
  if (!started) co_return std::unexpected(started.error());
  co_return response;
}

}  // namespace paddock
