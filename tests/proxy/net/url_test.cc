#include "proxy/net/url.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("a URL is taken apart") {
  struct Case {
    std::string text;
    bool tls;
    std::string host;
    int port;
    std::string target;
  };
  const auto c = GENERATE(values<Case>({
      {"http://a", false, "a", 80, "/"},
      {"https://a", true, "a", 443, "/"},
      {"HTTPS://Registry.Example.COM/V2/", true, "registry.example.com", 443, "/V2/"},
      {"http://127.0.0.1:5000/v2/?n=1", false, "127.0.0.1", 5000, "/v2/?n=1"},
      {"http://[::1]:5000/x", false, "::1", 5000, "/x"},
      {"http://[2001:DB8::1]", false, "2001:db8::1", 80, "/"},
      {"http://a?x=1", false, "a", 80, "/?x=1"},
      {"http://a/b#fragment", false, "a", 80, "/b"},
      {"http://a#fragment", false, "a", 80, "/"},
      {"http://a:/b", false, "a", 80, "/b"},
      {"http://u:p@a/b", false, "a", 80, "/b"},
      {"http://a/b@c:d", false, "a", 80, "/b@c:d"},
      {"http://a/\xC3\xA9", false, "a", 80, "/%C3%A9"},
      {"http://a_b.c/", false, "a_b.c", 80, "/"},
  }));
  CAPTURE(c.text);
  const auto url = Url::parse(c.text);
  REQUIRE(url.has_value());
  CHECK(url->tls == c.tls);
  CHECK(url->host == c.host);
  CHECK(url->port == c.port);
  CHECK(url->target == c.target);
}

TEST_CASE("what is no http or https URL is refused") {
  const auto* const text =
      GENERATE("", "a", "/a", "//a", "ftp://a", "http:", "http:/a", "http://", "http:///a", "http://:80", "http://a:0",
               "http://a:65536", "http://a:8x", "http://a:-1", "http://a b/", "http://a/b c", "http://a/\r\nX: y",
               "http://a\\b", "http://[::1", "http://[::1]x", "http://[]", "http://a]", "http://%61/", "http://u%zz@a/",
               "javascript:alert(1)", "http://a/\x01", "1http://a");
  CAPTURE(text);
  const auto url = Url::parse(text);
  REQUIRE_FALSE(url.has_value());
  CHECK(url.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("an endless URL is refused") { CHECK_FALSE(Url::parse("http://a/" + std::string(20'000, 'a')).has_value()); }

TEST_CASE("userinfo is decoded and never written out again") {
  const auto url = Url::parse("http://us%40er:p%3Aw@proxy:3128/x").value();
  CHECK(url.user == "us@er");
  CHECK(url.password == "p:w");
  CHECK(url.to_string() == "http://proxy:3128/x");
  CHECK(Url::parse("http://only@proxy").value().user == "only");
}

TEST_CASE("references are resolved as RFC 3986 says") {
  struct Case {
    std::string reference;
    std::string expected;
  };
  // The table of 5.4.1 and 5.4.2, as far as it concerns http.
  const auto c = GENERATE(values<Case>({
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {";x", "http://a/b/c/;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"https://other:8443/x?sig=%2F..", "https://other:8443/x?sig=%2F.."},
      {"//other/x//y", "http://other/x//y"},
  }));
  CAPTURE(c.reference);
  const auto resolved = Url::parse("http://a/b/c/d;p?q").value().resolve(c.reference);
  REQUIRE(resolved.has_value());
  CHECK(resolved->to_string() == c.expected);
}

TEST_CASE("a reference to another kind of place is refused") {
  const auto base = Url::parse("https://a/b").value();
  const auto* const reference = GENERATE("ftp://x/y", "mailto:me@x", "file:///etc/passwd", "//", "https://", "/a b",
                                         "http://x:99999/", "/a\r\nSet-Cookie: x");
  CAPTURE(reference);
  CHECK_FALSE(base.resolve(reference).has_value());
}

TEST_CASE("a reference without a scheme keeps the base's") {
  CHECK(Url::parse("https://a:444/b").value().resolve("/c").value().to_string() == "https://a:444/c");
  CHECK(Url::parse("https://a/b").value().resolve("//c/d").value().to_string() == "https://c/d");
}

TEST_CASE("authority and origin leave the scheme's own port out") {
  CHECK(Url::parse("https://a:443/").value().authority() == "a");
  CHECK(Url::parse("https://a:80/").value().authority() == "a:80");
  CHECK(Url::parse("http://[::1]:80/").value().origin() == "http://[::1]");
  CHECK(Url::parse("http://[::1]:81/").value().origin() == "http://[::1]:81");
}

TEST_CASE("origins differ by scheme, host and port only") {
  const auto url = Url::parse("https://a/x").value();
  CHECK(url.same_origin(Url::parse("https://A:443/y?z").value()));
  CHECK_FALSE(url.same_origin(Url::parse("http://a:443/x").value()));
  CHECK_FALSE(url.same_origin(Url::parse("https://b/x").value()));
  CHECK_FALSE(url.same_origin(Url::parse("https://a:444/x").value()));
  CHECK(url.with_target("/q").to_string() == "https://a/q");
}

TEST_CASE("percent encoding survives the way there and back") {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  CHECK(percent_decode(percent_encode(all)) == all);
  CHECK(percent_encode("a/b c+~") == "a%2Fb%20c%2B~");
}

TEST_CASE("broken escapes are refused") {
  const auto* const text = GENERATE("%", "%4", "a%4", "%zz", "%4g", "%00", "x%", "%-1");
  CAPTURE(text);
  CHECK_FALSE(percent_decode(text).has_value());
}

}  // namespace
}  // namespace paddock
