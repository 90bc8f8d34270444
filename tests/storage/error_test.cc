#include "storage/error.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace paddock {
namespace {

TEST_CASE("every error code has a name of its own") {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
  }
  CHECK(names.size() == static_cast<std::size_t>(ErrorCode::cancelled) + 1);
  CHECK_FALSE(names.contains("unknown"));
  CHECK(to_string(static_cast<ErrorCode>(200)) == "unknown");
}

TEST_CASE("every side that can be blamed has a name") {
  CHECK(to_string(Blame::client) == "client");
  CHECK(to_string(Blame::upstream) == "upstream");
  CHECK(to_string(Blame::us) == "us");
  CHECK(to_string(static_cast<Blame>(9)) == "unknown");
}

TEST_CASE("context reads from the outermost operation inwards and keeps the rest of the error") {
  const Error inner{.code = ErrorCode::rate_limited,
                    .blame = Blame::upstream,
                    .context = "answered 429",
                    .retryable = true,
                    .retry_after = std::chrono::seconds(7)};
  const Error outer = inner.with("manifest").with("pull");
  CHECK(outer.context == "pull: manifest: answered 429");
  CHECK(outer.code == ErrorCode::rate_limited);
  CHECK(outer.blame == Blame::upstream);
  CHECK(outer.retryable);
  CHECK(outer.retry_after == std::chrono::seconds(7));
  CHECK(inner.context == "answered 429");
}

TEST_CASE("a failed result carries what fail was given") {
  const Result<int> result = fail(ErrorCode::timeout, Blame::client, "too slow", true);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::timeout);
  CHECK(result.error().blame == Blame::client);
  CHECK(result.error().context == "too slow");
  CHECK(result.error().retryable);
  CHECK_FALSE(result.error().retry_after);
}

}  // namespace
}  // namespace paddock
