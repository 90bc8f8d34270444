#include "proxy/net/client_response.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/none.hpp>

#include "proxy/net/read_header.h"

namespace paddock {
namespace {

namespace http = boost::beast::http;
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_ahead = std::size_t{64} * 1024;
constexpr std::uint64_t gather_bytes = std::uint64_t{256} * 1024;
constexpr std::uint64_t taken_in = std::uint64_t{64} * 1024;
constexpr int max_interim_answers = 8;

bool is_protocol_error(boost::system::error_code code) {
  return code.category() == http::make_error_code(http::error::bad_version).category() &&
         code != http::error::end_of_stream && code != http::error::partial_message;
}

}  // namespace

HttpResponse::HttpResponse(std::unique_ptr<Connection> connection, Home home, Wire wire)
    : home_(std::move(home)),
      wire_(std::move(wire)),
      connection_(std::move(connection)),
      buffer_(wire_.header_limit + read_ahead) {}

Task<Result<void>> HttpResponse::start() {
  const auto sent =
      co_await connection_->write({asio::buffer(wire_.request), asio::const_buffer()}, wire_.deadlines.headers);
  if (sent) co_return failure("sending the request", sent);
  connection_->deadline(wire_.deadlines.headers);
  for (int i = 0; i <= max_interim_answers; ++i) {
    auto got = co_await read_header();
    if (!got) co_return got;
    if (status_ >= 200) {
      take_header();
      co_return Result<void>();
    }
    if (status_ == 101) break;
  }
  co_return failure("reading the answer", http::error::unexpected_body);
}

Task<Result<void>> HttpResponse::read_header() {
  parser_.emplace();
  parser_->body_limit(boost::none);  // layers have gigabytes
  parser_->skip(wire_.method == Method::head);
  const auto error = co_await paddock::read_header(*connection_, buffer_, *parser_, wire_.header_limit);
  answered_ = answered_ || buffer_.size() != 0 || parser_->got_some();
  if (error) co_return failure("waiting for the answer", error);
  status_ = static_cast<int>(parser_->get().result_int());
  co_return Result<void>();
}

void HttpResponse::take_header() {
  const auto& message = parser_->get();
  for (const auto& field : message) headers_.add(field.name_string(), field.value());
  if (const auto length = parser_->content_length()) content_length_ = *length;
  keep_ = message.keep_alive() && !parser_->need_eof();
  if (parser_->is_done() || wire_.method == Method::head) {
    framing_ = Framing::none;
  } else if (parser_->chunked()) {
    framing_ = Framing::chunked;
  } else if (content_length_) {
    framing_ = Framing::length;
    remaining_ = *content_length_;
  } else {
    framing_ = Framing::until_close;
    keep_ = false;
  }
  connection_->no_deadline();
  if (framing_ == Framing::none || (framing_ == Framing::length && remaining_ == 0)) finish();
}

Task<Result<std::size_t>> HttpResponse::read(std::span<std::byte> out) {
  if (failed_) co_return fail(ErrorCode::unavailable, Blame::upstream, wire_.authority + ": the transfer has failed");
  if (!connection_ || out.empty()) co_return std::size_t{0};
  connection_->deadline(wire_.deadlines.stall);
  auto got = framing_ == Framing::chunked ? co_await read_chunked(out) : co_await read_plain(out);
  if (connection_) connection_->no_deadline();
  co_return got;
}

void HttpResponse::abort() {
  if (connection_) connection_->abort();
}

Task<Result<std::size_t>> HttpResponse::read_plain(std::span<std::byte> out) {
  const bool counted = framing_ == Framing::length;
  const auto wanted = counted ? std::min<std::uint64_t>(out.size(), remaining_) : out.size();
  std::size_t size = 0;
  if (buffer_.size() != 0) {
    size = asio::buffer_copy(asio::buffer(out.data(), wanted), buffer_.data());
    buffer_.consume(size);
  } else {
    if (counted) co_await gather();
    const auto [error, received] = co_await connection_->read(asio::buffer(out.data(), wanted));
    if (error == asio::error::eof && !counted && received == 0) {
      finish();
      co_return std::size_t{0};
    }
    if (error) co_return failure("in the middle of the body", error);
    size = received;
  }
  if (counted) {
    remaining_ -= size;
    gathered_ -= std::min<std::uint64_t>(gathered_, size);
    if (remaining_ == 0) finish();
  }
  co_return size;
}

// Nobody's first bytes are kept waiting. At the end TLS may have taken in already what the socket would wait for.
Task<void> HttpResponse::gather() {
  const bool in_the_middle = *content_length_ - remaining_ >= gather_bytes && remaining_ > gather_bytes + taken_in;
  if (!in_the_middle || gathered_ > 0) co_return;
  gathered_ = gather_bytes;
  co_await connection_->gather(gather_bytes);
}

Task<Result<std::size_t>> HttpResponse::read_chunked(std::span<std::byte> out) {
  auto& body = parser_->get().body();
  body.data = out.data();
  body.size = out.size();
  body.more = true;
  while (body.size == out.size() && !parser_->is_done()) {
    const auto [error, size] = co_await http::async_read_some(*connection_, buffer_, *parser_, as_tuple);
    if (error && error != http::error::need_buffer) co_return failure("in the middle of the body", error);
  }
  const auto got = out.size() - body.size;
  if (parser_->is_done() && got == 0) finish();
  co_return got;
}

// Bytes beyond the answer mean that the other side and we disagree on where it ended: such a connection is not kept.
void HttpResponse::finish() {
  auto connection = std::move(connection_);
  if (!keep_ || buffer_.size() != 0) return;
  connection->rest();
  if (const auto pool = home_.pool.lock()) pool->put(home_.key, std::move(connection));
}

std::unexpected<Error> HttpResponse::failure(std::string_view doing, boost::system::error_code code) {
  failed_ = true;
  const auto cause = connection_->cause(code);
  connection_.reset();
  const auto context = std::string(wire_.authority).append(": ").append(doing).append(": ");
  if (cause == asio::error::timed_out) return fail(ErrorCode::timeout, Blame::upstream, context + "nothing came", true);
  if (cause == http::error::header_limit || cause == http::error::buffer_overflow) {
    return fail(ErrorCode::protocol, Blame::upstream, context + "the answer's header is too large");
  }
  if (is_protocol_error(cause)) {
    return fail(ErrorCode::protocol, Blame::upstream, context + "not HTTP: " + cause.message());
  }
  return fail(ErrorCode::unavailable, Blame::upstream, context + "connection closed: " + cause.message(), true);
}

}  // namespace paddock
