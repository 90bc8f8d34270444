#include "proxy/net/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <catch2/catch.hpp>

namespace paddock {
namespace {

namespace http = boost::beast::http;

// All that it says, `step` bytes more each time; the parser is done, or the error tells why not.
boost::system::error_code parse(RequestParser& parser, std::string_view bytes, std::size_t step) {
  boost::system::error_code error;
  std::size_t from = 0;
  for (auto to = step;; to += step) {
    const auto seen = bytes.substr(from, std::min(to, bytes.size()) - from);
    from += parser.put(boost::asio::buffer(seen), error);
    if (error == http::error::need_more) error = {};
    if (error || parser.is_done() || to >= bytes.size()) return error;
  }
}

TEST_CASE("a head is the same however it arrives") {
  const auto step = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1000});
  CAPTURE(step);
  RequestParser parser;
  REQUIRE_FALSE(parse(parser, "BREW /a?b HTTP/1.0\r\nHost: h\r\nAccept: a\r\nX-Empty:\r\naccept:  b \r\n\r\n", step));
  REQUIRE(parser.is_done());
  CHECK(parser.head.method == "BREW");
  CHECK(parser.head.target == "/a?b");
  CHECK(parser.head.version == 10);
  const std::vector<Headers::Field> expected{{"Host", "h"}, {"Accept", "a"}, {"X-Empty", ""}, {"accept", "b"}};
  CHECK(std::vector<Headers::Field>(parser.head.headers.begin(), parser.head.headers.end()) == expected);
}

TEST_CASE("a body is what was announced, or its chunks") {
  const auto step = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1000});
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  const auto rest = GENERATE(values<std::string>({"Content-Length: 7\r\n\r\n{\"a\":1}",
                                                  "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n"
                                                  "0\r\nTrailer: t\r\n\r\n"}));
  CAPTURE(step, rest);
  RequestParser parser;
  parser.eager(true);
  REQUIRE_FALSE(parse(parser, head + rest, step));
  REQUIRE(parser.is_done());
  CHECK(parser.body == "{\"a\":1}");
  CHECK_FALSE(parser.head.headers.get("Trailer"));
}

TEST_CASE("limits and nonsense are errors") {
  RequestParser parser;
  SECTION("a head that is too long") {
    parser.header_limit(64);
    CHECK(parse(parser, "GET /" + std::string(100, 'x') + " HTTP/1.1\r\n\r\n", 1000) == http::error::header_limit);
  }
  SECTION("a body that is too long") {
    parser.eager(true);
    parser.body_limit(3);
    CHECK(parse(parser, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", 1000) ==
          http::error::body_limit);
  }
  SECTION("no HTTP") { CHECK(parse(parser, "\x16\x03\x01 hello\r\n\r\n", 1000)); }
  SECTION("a name with a space") { CHECK(parse(parser, "GET / HTTP/1.1\r\nA b: c\r\n\r\n", 1000)); }
}

}  // namespace
}  // namespace paddock
