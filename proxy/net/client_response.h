// HttpResponse: one answer being received on a connection of the client. Private to proxy/net.
//
// start() sends the request and reads the header; read() the body. Bodies of known length and those that end with the
// connection go straight from the socket into the caller's buffer; chunked ones through Beast's parser (RFC 9112, 6,
// 7). Read to its end, it puts its connection into the pool when both sides can go on with it.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>

#include "proxy/net/client.h"
#include "proxy/net/connection_pool.h"

namespace paddock {

class HttpResponse final : public ClientResponse {
 public:
  struct Home {  // where the connection goes afterwards
    std::weak_ptr<ConnectionPool> pool;
    PoolKey key;
  };
  struct Wire {
    std::string request;
    Method method;
    std::string authority;  // for messages
    std::size_t header_limit;
    Deadlines deadlines;
  };

  HttpResponse(std::unique_ptr<Connection> connection, Home home, Wire wire);

  Task<Result<void>> start();
  // Not a byte of an answer came: the connection may have died before the request arrived.
  [[nodiscard]] bool untouched() const { return !answered_; }

  [[nodiscard]] int status() const override { return status_; }
  [[nodiscard]] const Headers& headers() const override { return headers_; }
  [[nodiscard]] std::optional<std::uint64_t> content_length() const override { return content_length_; }
  Task<Result<std::size_t>> read(std::span<std::byte> out) override;
  void abort() override;

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  enum class Framing : std::uint8_t { none, length, chunked, until_close };

  Task<Result<void>> read_header();
  void take_header();
  Task<Result<std::size_t>> read_plain(std::span<std::byte> out);
  Task<void> gather();
  Task<Result<std::size_t>> read_chunked(std::span<std::byte> out);
  void finish();
  std::unexpected<Error> failure(std::string_view doing, boost::system::error_code code);

  Home home_;
  Wire wire_;
  std::unique_ptr<Connection> connection_;  // null once finished or failed
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  bool answered_ = false;
  int status_ = 0;
  Headers headers_;
  std::optional<std::uint64_t> content_length_;
  Framing framing_ = Framing::none;
  std::uint64_t remaining_ = 0;
  std::uint64_t gathered_ = 0;  // bytes to be read before more are waited for
  bool keep_ = false;
  bool failed_ = false;
};

}  // namespace paddock
