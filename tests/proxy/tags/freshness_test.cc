#include "proxy/tags/freshness.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

constexpr WallTime noon{std::chrono::seconds(1'800'000'000)};
const TagPolicy policy{.ttl = 10min, .stale_if_error = 24h};

OnError decide(ErrorCode code, WallTime validated) {
  return on_revalidation_error(Error{code, Blame::upstream, "x"}, validated, noon, policy);
}

}  // namespace

TEST_CASE("a tag is fresh until its ttl has passed") {
  CHECK(is_fresh(noon, noon, policy));
  CHECK(is_fresh(noon - 599s, noon, policy));
  CHECK_FALSE(is_fresh(noon - 600s, noon, policy));
  CHECK_FALSE(is_fresh(noon, noon, TagPolicy{.ttl = 0s}));
}

TEST_CASE("a confirmation in the future is not fresh") { CHECK_FALSE(is_fresh(noon + 1s, noon, policy)); }

TEST_CASE("an upstream that is away makes the tag stale, until that is too old") {
  for (const auto code : {ErrorCode::unavailable, ErrorCode::timeout, ErrorCode::rate_limited, ErrorCode::protocol,
                          ErrorCode::digest_mismatch, ErrorCode::too_large}) {
    CAPTURE(to_string(code));
    CHECK(decide(code, noon - 1h) == OnError::serve_stale);
    CHECK(decide(code, noon - 24h) == OnError::serve_stale);
    CHECK(decide(code, noon - 24h - 1s) == OnError::pass_on);
  }
}

TEST_CASE("an upstream that says no is believed") {
  CHECK(decide(ErrorCode::not_found, noon - 1h) == OnError::forget);
  CHECK(decide(ErrorCode::denied, noon - 1h) == OnError::pass_on);
  CHECK(decide(ErrorCode::unauthorized, noon - 1h) == OnError::pass_on);
}

TEST_CASE("an age is never negative") {
  CHECK(age(noon - 5s, noon) == 5s);
  CHECK(age(noon + 5s, noon) == 0s);
}
