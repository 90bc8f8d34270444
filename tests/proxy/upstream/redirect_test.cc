#include "proxy/upstream/redirect.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

Url url(std::string_view text) { return Url::parse(text).value(); }

struct Case {
  const char* endpoint;
  const char* from;
  const char* location;
  const char* to;  // null: refused
  bool authorized = false;
  bool public_only = false;
};

TEST_CASE("redirects are followed, with credentials to the same origin only") {
  const Case cases[] = {
      {"https://r.example", "https://r.example/v2/a", "/other?x=1", "https://r.example/other?x=1", true, false},
      {"https://r.example", "https://r.example/v2/a", "https://r.example:443/b", "https://r.example/b", true, false},
      {"https://r.example", "https://r.example/v2/a", "https://r.example:8443/b", "https://r.example:8443/b", false,
       false},
      {"https://r.example", "https://r.example/v2/a", "//bucket.example/k", "https://bucket.example/k", false, true},
      {"https://r.example", "https://r.example/v2/a", "https://b.example/k?sig=%2F", "https://b.example/k?sig=%2F",
       false, true},
      {"http://r.example", "http://r.example/v2/a", "http://b.example/k", "http://b.example/k", false, true},
      {"http://r.example", "http://r.example/v2/a", "https://r.example/k", "https://r.example/k", false, false},
      {"http://127.0.0.1:5000", "http://127.0.0.1:5000/a", "http://127.0.0.1:6000/k", "http://127.0.0.1:6000/k", false,
       false},
      {"http://registry", "http://registry/a", "http://10.0.0.1/k", "http://10.0.0.1/k", false, false},
      {"https://r.example", "https://r.example/a", "https://user:secret@b.example/k", "https://b.example/k", false,
       true},
  };
  for (const auto& c : cases) {
    CAPTURE(c.endpoint, c.from, c.location);
    const auto next = decide_redirect(url(c.endpoint), {.url = url(c.from)}, c.location, {});
    REQUIRE(next);
    CHECK(next->url.to_string() == c.to);
    CHECK(next->url.user.empty());
    CHECK(next->url.password.empty());
    CHECK(next->authorized == c.authorized);
    CHECK(next->public_addresses_only == c.public_only);
    CHECK(next->hops == 1);
  }
}

TEST_CASE("redirects into the clear, inwards, or to nowhere are refused") {
  for (const auto* location :
       {"http://r.example/a", "http://b.example/a", "https://127.0.0.1/a", "https://[::1]/", "https://localhost/a",
        "https://169.254.169.254/latest", "https://10.1.1.1/", "https://metadata/x", "https://[::ffff:10.0.0.1]/"}) {
    CAPTURE(location);
    const auto next = decide_redirect(url("https://r.example"), {.url = url("https://r.example/v2/a")}, location, {});
    REQUIRE_FALSE(next);
    CHECK(next.error().code == ErrorCode::denied);
    CHECK(next.error().blame == Blame::upstream);
    CHECK_FALSE(next.error().retryable);
  }
  for (const auto* location :
       {"", "ftp://b.example/a", "file:///etc/passwd", "https://", "https://b.example:99999/", "javascript:alert(1)"}) {
    CAPTURE(location);
    const auto next = decide_redirect(url("https://r.example"), {.url = url("https://r.example/v2/a")}, location, {});
    REQUIRE_FALSE(next);
    CHECK(next.error().code == ErrorCode::protocol);
  }
  CHECK_FALSE(decide_redirect(url("https://r.example"), {.url = url("https://r.example/a")}, std::nullopt, {}));
}

TEST_CASE("credentials once left behind do not come back") {
  const auto there =
      decide_redirect(url("https://r.example"), {.url = url("https://r.example/a")}, "https://b.example/x", {});
  REQUIRE(there);
  const auto back = decide_redirect(url("https://r.example"), *there, "https://r.example/y", {});
  REQUIRE(back);
  CHECK_FALSE(back->authorized);
  CHECK(back->hops == 2);
}

TEST_CASE("a chain of redirects ends") {
  RedirectStep step{.url = url("https://r.example/a")};
  for (int hop = 0; hop < 5; ++hop) {
    auto next = decide_redirect(url("https://r.example"), step, "/again", {});
    REQUIRE(next);
    step = *std::move(next);
  }
  const auto sixth = decide_redirect(url("https://r.example"), step, "/again", {});
  REQUIRE_FALSE(sixth);
  CHECK(sixth.error().code == ErrorCode::protocol);
}

TEST_CASE("the configuration allows what would be refused, and forbids the rest where it says so") {
  const RedirectPolicy allows{.allow = {"10.0.0.7", ".corp.example"}};
  const RedirectStep from{.url = url("https://r.example/a")};
  const auto inward = decide_redirect(url("https://r.example"), from, "http://10.0.0.7/k", allows);
  REQUIRE(inward);
  CHECK_FALSE(inward->public_addresses_only);
  const auto named = decide_redirect(url("https://r.example"), from, "https://minio.corp.example/k", allows);
  REQUIRE(named);
  CHECK_FALSE(named->public_addresses_only);
  CHECK_FALSE(decide_redirect(url("https://r.example"), from, "http://10.0.0.8/k", allows));
  CHECK(decide_redirect(url("https://r.example"), from, "https://elsewhere.example/k", allows));

  RedirectPolicy only = allows;
  only.only_allowed = true;
  CHECK_FALSE(decide_redirect(url("https://r.example"), from, "https://elsewhere.example/k", only));
  CHECK(decide_redirect(url("https://r.example"), from, "https://minio.corp.example/k", only));
  CHECK(decide_redirect(url("https://r.example"), from, "/same", only));
}

TEST_CASE("only the redirects of RFC 9110 that keep the method of a GET count") {
  for (const int status : {301, 302, 303, 307, 308}) CHECK(is_redirect(status));
  for (const int status : {200, 300, 304, 305, 306, 309, 400}) CHECK_FALSE(is_redirect(status));
}

}  // namespace
}  // namespace paddock
