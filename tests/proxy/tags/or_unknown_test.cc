#include "proxy/tags/or_unknown.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

using namespace paddock;

TEST_CASE("what was read is passed on", "[or_unknown]") {
  CHECK(or_unknown(Result<bool>(true)).value());
  CHECK_FALSE(or_unknown(Result<bool>(false)).value());
  CHECK(or_unknown(Result<std::optional<std::string>>("a")).value() == "a");
}

TEST_CASE("what we could not read is not known", "[or_unknown]") {
  for (const auto code : {ErrorCode::io, ErrorCode::corrupt, ErrorCode::denied}) {
    CHECK_FALSE(or_unknown(Result<bool>(fail(code, Blame::us, "bad block"))).value());
    CHECK(or_unknown(Result<std::optional<int>>(fail(code, Blame::us, "bad block"))).value() == std::nullopt);
  }
}

TEST_CASE("an error that is not ours stays one", "[or_unknown]") {
  for (const auto blame : {Blame::client, Blame::upstream}) {
    const auto answer = or_unknown(Result<bool>(fail(ErrorCode::denied, blame, "no")));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == ErrorCode::denied);
  }
}
