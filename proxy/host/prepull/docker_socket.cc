#include "proxy/host/prepull/docker_socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include "proxy/host/prepull/loose_json.h"
#include "proxy/net/unix_client.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

constexpr std::chrono::milliseconds connect_patience{3000};
constexpr std::chrono::milliseconds answer_patience{60'000};  // an engine that unpacks answers late
constexpr std::chrono::hours stream_patience{24};             // PullWatch ends a silent one long before
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::size_t answer_limit = std::size_t{4} << 20U;

ClientRequest request_for(Method method, const std::string& target) {
  ClientRequest request;
  request.method = method;
  request.url.host = "docker";
  request.url.port = 80;
  request.url.target = target;
  request.deadlines = {connect_patience, answer_patience, answer_patience};
  return request;
}

// `take`: of a body with status 200.
Task<Result<DockerAnswer>> exchange(std::string path, ClientRequest request,
                                    std::function<void(std::string_view)> take) {
  auto response = co_await send_to_socket(std::move(path), std::move(request));
  if (!response) co_return std::unexpected(std::move(response).error());
  DockerAnswer answer{(*response)->status(), (*response)->headers()};
  if (!take || answer.status != 200) {
    auto body = co_await read_all(**response, answer_limit);
    if (!body) co_return std::unexpected(std::move(body).error());
    answer.body = *std::move(body);
    co_return answer;
  }
  std::string piece(std::size_t{16} * 1024, '\0');
  for (;;) {
    const auto got = co_await (*response)->read(std::as_writable_bytes(std::span(piece)));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return answer;
    take(std::string_view(piece).substr(0, *got));
  }
}

Result<DockerAnswer> run(const std::string& path, ClientRequest request, const DockerSocket::Stream& stream) {
  asio::io_context loop(1);
  std::optional<Result<DockerAnswer>> answer;
  asio::co_spawn(loop, exchange(path, std::move(request), stream.take),
                 [&](const std::exception_ptr& bug, Result<DockerAnswer> done) {
                   answer =
                       bug ? fail(ErrorCode::protocol, Blame::us, "the request failed unexpectedly") : std::move(done);
                 });
  // Leaving closes the connection, by which Docker knows that nobody wants the image any more.
  while (!answer) {
    if (auto looked = stream.look(); !looked) return std::unexpected(std::move(looked).error());
    loop.run_for(look_interval);
  }
  return *std::move(answer);
}

}  // namespace

std::string DockerAnswer::message() const {
  const auto json = parse_strict_json(body, {.depth = 8, .values = 100});
  const auto said = json && json->is_object() ? text_of(member(*json, "message")) : std::string();
  if (!said.empty()) return public_message(said);
  return "status " + std::to_string(status) + ", " + quote(body, 200);
}

Result<DockerAnswer> DockerSocket::ask(Method method, const std::string& target) const {
  const auto deadline = std::chrono::steady_clock::now() + answer_patience;
  return run(path_, request_for(method, target), {.take = {}, .look = [&]() -> Result<void> {
                                                    if (std::chrono::steady_clock::now() < deadline) return {};
                                                    return fail(ErrorCode::timeout, Blame::upstream,
                                                                path_ + ": no whole answer in time");
                                                  }});
}

Result<DockerAnswer> DockerSocket::follow(const std::string& target, Headers headers, const Stream& stream) const {
  auto request = request_for(Method::post, target);
  request.headers = std::move(headers);
  request.deadlines.headers = request.deadlines.stall = stream_patience;
  return run(path_, std::move(request), stream);
}

}  // namespace paddock
