#include "proxy/net/session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/none.hpp>
#include <cstring>
#include <random>
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "proxy/net/body_writer.h"
#include "proxy/net/read_header.h"
#include "proxy/net/relay.h"
#include "proxy/net/response_frame.h"

namespace paddock {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_ahead = std::size_t{64} * 1024;
constexpr std::size_t first_read = 4096;
constexpr std::chrono::seconds turned_away_farewell{1};

std::string describe_peer(const Connection::Socket& socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  const int family = peer.protocol().family();
  if (error || (family != AF_INET && family != AF_INET6)) return "unix";
  asio::ip::tcp::endpoint endpoint(family == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), 0);
  std::memcpy(endpoint.data(), peer.data(), peer.size());
  const auto address = endpoint.address().to_string();
  return (family == AF_INET ? address : "[" + address + "]") + ":" + std::to_string(endpoint.port());
}

// Counts a request while it lasts.
class Busy {
 public:
  Busy(std::atomic<std::uint64_t>& count, bool& flag) : count_(count), flag_(flag) {
    ++count_;
    flag_ = true;
  }
  ~Busy() {
    --count_;
    flag_ = false;
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<std::uint64_t>& count_;
  bool& flag_;
};

}  // namespace

SessionEnvironment::SessionEnvironment(Server::Options given, BlockingPool& blocking, Handler handle,
                                       std::function<void(const Exchange&)> see)
    : options(std::move(given)),
      pool(blocking),
      handler(std::move(handle)),
      observe(std::move(see)),
      id_prefix_(std::random_device{}()) {}

std::string SessionEnvironment::next_id() { return fmt::format("{:08x}{:08x}", id_prefix_, ++id_counter_); }

Response SessionEnvironment::refuse(const Refusal& refusal) const {
  auto response = plain_error(refusal.status, refusal.code, refusal.message);
  for (const auto& [name, value] : options.refusal_headers) response.headers.set(name, value);
  return response;
}

Session::Session(std::shared_ptr<SessionEnvironment> environment, Connection::Socket socket,
                 std::shared_ptr<const TlsServerContext> tls, std::string listener)
    : environment_(std::move(environment)),
      connection_(std::move(socket)),
      tls_(std::move(tls)),
      listener_(std::move(listener)),
      peer_(describe_peer(connection_.socket())),
      buffer_(environment_->options.header_limit + read_ahead) {}

Task<void> Session::run() {
  const auto self = shared_from_this();
  if (tls_) {
    connection_.deadline(environment_->options.header_timeout);
    const auto failure = co_await connection_.start_tls_server(*tls_);
    if (!failure.empty()) co_return;
    tls_name_ = connection_.tls_name();
    ++(connection_.encrypts() ? environment_->tls_by_openssl : environment_->tls_by_kernel);
  }
  while (co_await exchange()) {
  }
}

void Session::drain() {
  if (!busy_) connection_.close();
  if (relay_ != nullptr) relay_->hurry(environment_->options.farewell);
}

void Session::abort() { connection_.abort(); }

Task<void> Session::turn_away() {
  const auto self = shared_from_this();
  if (tls_) co_return;
  const auto response = environment_->refuse({503, "UNAVAILABLE", "too many connections"});
  const auto frame =
      frame_response(response, {.head = false, .keep_alive = false, .now = std::chrono::system_clock::now()});
  co_await connection_.write({asio::buffer(frame.header), asio::buffer(body_text(response))}, std::chrono::seconds(1));
  co_await connection_.finish(turned_away_farewell, turned_away_farewell);
}

Task<bool> Session::exchange() {
  if (!co_await wait_for_bytes()) co_return false;
  Received received;
  if (!co_await receive(received)) co_return false;
  const Busy busy(environment_->busy, busy_);
  connection_.no_deadline();
  if (!received.refusal && received.request.method == Method::connect) co_return co_await connect(received);
  co_return co_await send(received, co_await respond(received));
}

// A client that is silent between requests may be so for longer than one that has begun with one.
Task<bool> Session::wait_for_bytes() {
  const auto& options = environment_->options;
  if (environment_->draining) co_return false;
  if (buffer_.size() == 0) {
    connection_.deadline(first_ ? options.header_timeout : options.idle_timeout);
    const auto [error, size] = co_await connection_.async_read_some(buffer_.prepare(first_read), as_tuple);
    if (error) co_return false;
    buffer_.commit(size);
  } else {
    // Others' turn: who sends many requests at once may never have to be waited for.
    co_await asio::post(connection_.get_executor(), asio::use_awaitable);
    if (environment_->draining) co_return false;
  }
  first_ = false;
  connection_.deadline(options.header_timeout);
  co_return true;
}

Task<bool> Session::receive(Received& received) {
  RequestParser parser;
  parser.body_limit(boost::none);  // judged once it is known what the request is
  const auto error = co_await read_header(connection_, buffer_, parser, environment_->options.header_limit);
  take(parser, error, received);
  if (error && !received.refusal) co_return false;
  if (!received.refusal && !parser.is_done() && environment_->options.request_bodies) {
    if (!co_await receive_body(parser, received)) co_return false;
  }
  received.keep_alive =
      !received.refusal && parser.is_done() && keeps_alive(parser.head.version, received.request.headers);
  co_return true;
}

void Session::take(RequestParser& parser, boost::system::error_code error, Received& received) const {
  received.at = Clock::now();
  if (error) {
    const auto unread = buffer_.cdata();
    const auto line = first_line({static_cast<const char*>(unread.data()), unread.size()});
    received.refusal = refusal_for(error, line);
    received.request = parser.head.target.empty() ? request_for_log(line) : request_for_log(parser.head);
  } else {
    auto taken = take_request(std::move(parser.head));
    received.request = taken ? std::move(*taken) : request_for_log(parser.head);
    if (!taken) {
      received.refusal = taken.error();
    } else if (expectation_of(parser.head.version, received.request.headers) == Expectation::unknown) {
      received.refusal = Refusal{417, "UNSUPPORTED", "this expectation cannot be met"};
    }
  }
  received.request.id = environment_->next_id();
  received.request.peer = peer_;
  received.request.tls = connection_.tls();
  received.request.tls_name = tls_name_;
  received.request.listener = listener_;
  received.request.connect_host = connect_host_;
}

Task<bool> Session::receive_body(RequestParser& parser, Received& received) {
  const auto& options = environment_->options;
  if (parser.content_length().value_or(0) > options.body_limit) {
    received.refusal = refusal_for(http::error::body_limit);
    co_return true;
  }
  if (expectation_of(parser.head.version, received.request.headers) == Expectation::go_on) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    if (co_await connection_.write({asio::buffer(go_on), {}}, options.header_timeout)) co_return false;
    connection_.deadline(options.header_timeout);
  }
  parser.body_limit(options.body_limit);
  const auto [error, size] = co_await http::async_read(connection_, buffer_, parser, as_tuple);
  received.refusal = refusal_for(error);
  if (error && !received.refusal) co_return false;
  if (!error) received.request.body = std::move(parser.body);
  co_return true;
}

Task<Response> Session::respond(const Received& received) {
  if (const auto& refusal = received.refusal) co_return environment_->refuse(*refusal);
  if (!environment_->has_descriptors()) co_return environment_->refuse({503, "UNAVAILABLE", "too many requests"});
  std::string what;
  try {
    auto response = co_await environment_->handler(received.request);
    if (response.status >= 200 && response.status <= 599) co_return response;
    what = "it answered with status " + std::to_string(response.status);
  } catch (const std::exception& e) {
    what = e.what();
  }
  co_return internal_error(received, std::move(what));
}

Response Session::internal_error(const Received& received, std::string what) {
  spdlog::warn("request {}: the handler failed: {}", received.request.id, what);
  auto response = environment_->refuse({500, "UNKNOWN", "internal error"});
  response.log_note = std::move(what);
  return response;
}

Task<bool> Session::send(const Received& received, Response response) {
  const auto& options = environment_->options;
  const auto frame = frame_response(response, {.head = received.request.method == Method::head,
                                               .keep_alive = received.keep_alive && !environment_->draining,
                                               .now = std::chrono::system_clock::now()});
  const bool keep = frame.keep_alive;
  BodyWriter writer(connection_, environment_->pool, options.buffer_size, options.send_timeout);
  const auto text = body_text(response).substr(0, frame.body_length);
  auto failed = writer.begin_text(frame.header, text);
  if (!failed && writer.has_text()) failed = co_await writer.finish_text();
  const auto to_first_byte = received.age();
  const auto* const stream = std::get_if<BodyStream>(&response.body);
  if (!failed && stream != nullptr && frame.body_length != 0) {
    try {
      failed = co_await writer.send(*stream);
    } catch (const std::exception& e) {
      failed = e.what();
    }
  }
  if (failed) connection_.abort();
  if (environment_->observe) {
    environment_->observe({received.request, response, writer.sent(), to_first_byte, received.age(), failed.has_value(),
                           failed ? std::string_view(*failed) : std::string_view()});
  }
  if (!failed && !keep) co_await connection_.finish(options.farewell, options.send_timeout);
  co_return !failed && keep;
}

}  // namespace paddock
