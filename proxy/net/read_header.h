// read_header: bytes of a connection into a parser, until it has a whole header (RFC 9112, 2.2). Private to proxy/net.
#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "proxy/net/connection.h"

namespace paddock {

// `limit` is for all of it, in bytes; the parser's own is for what comes in one piece. end_of_stream where the peer has
// sent nothing, partial_message where it went in the middle. What follows the header stays in the buffer, which must
// have room for `limit` and 4 KiB more.
template <bool is_request>
Task<Connection::SystemError> read_header(Connection& connection, boost::beast::flat_buffer& buffer,
                                          boost::beast::http::basic_parser<is_request>& parser, std::size_t limit) {
  using Error = boost::beast::http::error;
  constexpr std::size_t at_a_time = 4096;
  parser.header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(limit, std::numeric_limits<std::uint32_t>::max())));
  Connection::SystemError error = Error::need_more;
  for (std::size_t total = 0;;) {
    if (buffer.size() != 0) {
      const auto used = parser.put(buffer.data(), error);
      buffer.consume(used);
      total += used;
      if (error == Error::need_more && total + buffer.size() > limit) error = Error::header_limit;
    }
    if (error != Error::need_more) co_return error;
    const auto [failed, size] =
        co_await connection.async_read_some(buffer.prepare(at_a_time), asio::as_tuple(asio::use_awaitable));
    if (failed == asio::error::eof) co_return parser.got_some() ? Error::partial_message : Error::end_of_stream;
    if (failed) co_return failed;
    buffer.commit(size);
  }
}

}  // namespace paddock
