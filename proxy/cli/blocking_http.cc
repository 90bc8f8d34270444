#include "proxy/cli/blocking_http.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <utility>

#include "proxy/net/tls.h"
#include "storage/task.h"

namespace paddock {
namespace {

constexpr std::chrono::milliseconds connect_patience{3000};

Task<Result<HttpAnswer>> exchange(HttpClient& client, ClientRequest request, std::size_t body_limit) {
  auto response = co_await client.send(std::move(request));
  if (!response) co_return std::unexpected(response.error());
  auto body = co_await read_all(**response, body_limit);
  if (!body) co_return std::unexpected(body.error());
  co_return HttpAnswer{(*response)->status(), (*response)->headers(), *std::move(body)};
}

}  // namespace

Result<HttpAnswer> ask_http(ClientRequest request, std::chrono::milliseconds patience, std::size_t body_limit) {
  if (request.url.tls && !request.tls) {
    auto tls = make_tls_client(std::nullopt);
    if (!tls) return std::unexpected(tls.error());
    request.tls = *std::move(tls);
  }
  request.deadlines = {std::min(connect_patience, patience), patience, patience};
  asio::io_context loop(1);
  HttpClient client({});
  Result<HttpAnswer> answer =
      fail(ErrorCode::timeout, Blame::upstream, fmt::format("no whole answer within {} ms", patience.count()));
  asio::co_spawn(loop, exchange(client, std::move(request), body_limit),
                 [&](const std::exception_ptr& bug, Result<HttpAnswer> done) {
                   answer =
                       bug ? fail(ErrorCode::protocol, Blame::us, "the request failed unexpectedly") : std::move(done);
                   client.close_idle();
                   loop.stop();
                 });
  loop.run_for(patience);
  return answer;
}

}  // namespace paddock
