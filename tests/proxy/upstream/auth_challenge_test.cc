#include "proxy/upstream/auth_challenge.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

using Scheme = AuthChallenge::Scheme;

std::vector<AuthChallenge> parse(std::initializer_list<std::string_view> fields) {
  const std::vector<std::string_view> all(fields);
  return parse_challenges(all);
}

AuthChallenge bearer(std::string realm, std::string service = {}, std::string scope = {}, std::string error = {}) {
  return {Scheme::bearer, std::move(realm), std::move(service), std::move(scope), std::move(error)};
}

AuthChallenge basic(std::string realm) { return {Scheme::basic, std::move(realm), {}, {}, {}}; }

TEST_CASE("challenges are read as registries write them") {
  struct Case {
    std::string_view field;
    std::vector<AuthChallenge> expected;
  };
  const Case cases[] = {
      {R"(Bearer realm="https://auth.example/service/token",service="harbor-registry",scope="repository:a/b:pull")",
       {bearer("https://auth.example/service/token", "harbor-registry", "repository:a/b:pull")}},
      {R"(Bearer scope="s",realm="https://r/t")", {bearer("https://r/t", "", "s")}},
      {R"(bEARER REALM="https://r/t")", {bearer("https://r/t")}},
      {R"(Bearer realm="https://r/t",error="insufficient_scope")",
       {bearer("https://r/t", "", "", "insufficient_scope")}},
      {R"(Bearer realm = "https://r/t" , service =x)", {bearer("https://r/t", "x")}},
      {R"(Bearer realm="a\"b\\c")", {bearer(R"(a"b\c)")}},
      {R"(Bearer realm="one",realm="two")", {bearer("one")}},
      {R"(Bearer realm="a,b=c Basic realm=d")", {bearer("a,b=c Basic realm=d")}},
      {R"(Basic realm="site")", {basic("site")}},
      {"Basic", {basic("")}},
      {R"(Basic realm="x", Bearer realm="https://r/t",service="s")", {basic("x"), bearer("https://r/t", "s")}},
      {R"(Negotiate, Basic realm="x")", {basic("x")}},
      {R"(Negotiate YWJj==, Basic realm="x")", {basic("x")}},
      {R"(Digest realm="d", nonce="n", Bearer realm="https://r/t")", {bearer("https://r/t")}},
      {R"( , ,Bearer realm="https://r/t", ,)", {bearer("https://r/t")}},
      {R"(Bearer realm="https://r/t",unknown=value,service=s)", {bearer("https://r/t", "s")}},
      {"Bearer dG9rZW42OA==", {bearer("")}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.field);
    CHECK(parse({c.field}) == c.expected);
  }
}

TEST_CASE("challenges come from several fields, in their order") {
  CHECK(parse({R"(Basic realm="x")", R"(Bearer realm="https://r/t")"}) ==
        std::vector{basic("x"), bearer("https://r/t")});
  CHECK(parse({}).empty());
}

TEST_CASE("a challenge that cannot be read to its end is left out") {
  for (const std::string_view field : {
           R"(Bearer realm="never closed)",
           R"(Bearer realm="ends in escape\)",
           R"(Bearer realm=)",
           R"(Bearer realm="a",service=)",
           "Bearer realm=\"line\nbreak\"",
           "Bearer realm=\"nul\\\x01\"",
           R"(Bearer realm="a" service="b")",
           R"(="x")",
           "\"",
           "",
           ",,,,",
           "Bearer realm=\"a\"\xff",
       }) {
    CAPTURE(field);
    const auto found = parse({field});
    // Whatever is found, it is not half of something: a realm that was given is whole.
    for (const auto& challenge : found) CHECK((challenge.realm.empty() || challenge.realm == "a"));
  }
  CHECK(parse({R"(Bearer realm="never closed)"}).empty());
  CHECK(parse({"Bearer realm=\"line\nbreak\""}).empty());
  CHECK(parse({"Bearer realm=\"a\"\xff"}).empty());
}

TEST_CASE("the number and the length of challenges are limited") {
  std::string many;
  for (int i = 0; i < 400; ++i) many += "Basic realm=x, ";
  CHECK(parse({many}).size() == 16);
  const std::string long_field = "Bearer realm=\"" + std::string(9000, 'a') + "\"";
  CHECK(parse({long_field}).empty());
}

TEST_CASE("Bearer is preferred to Basic if it says where tokens are made") {
  CHECK(choose_challenge({basic("x"), bearer("https://r/t")}) == bearer("https://r/t"));
  CHECK(choose_challenge({basic("x"), bearer("")}) == basic("x"));
  CHECK(choose_challenge({bearer("one"), bearer("two")}) == bearer("one"));
  CHECK_FALSE(choose_challenge({bearer("")}));
  CHECK_FALSE(choose_challenge({}));
}

TEST_CASE("a token is asked for pulling this repository and nothing else") {
  const std::string plain = "repository:a/b:pull";
  CHECK(pull_scope("repository:a/b:pull", "a/b") == plain);
  CHECK(pull_scope("repository:prefix/a/b:pull", "a/b") == "repository:prefix/a/b:pull");
  for (const std::string_view asked : {"", "repository:a/b:pull,push", "repository:a/b:push", "repository:a/b:*",
                                       "repository:secret:pull", "repository:xa/b:pull", "registry:catalog:*",
                                       "repository:other:pull repository:a/b:pull", "repository::pull", "pull"}) {
    CAPTURE(asked);
    CHECK(pull_scope(asked, "a/b") == plain);
  }
}

TEST_CASE("tokens are read under either name, with their lifetime") {
  struct Case {
    std::string_view body;
    std::string value;
    int seconds;
  };
  const Case cases[] = {
      {R"({"token":"t","expires_in":300})", "t", 300},
      {R"({"access_token":"t","expires_in":300,"issued_at":"2020-01-01T00:00:00Z"})", "t", 300},
      {R"({"token":"t","access_token":"u"})", "t", 60},
      {R"({"token":"","access_token":"u"})", "u", 60},
      {R"({"token":null,"access_token":"u"})", "u", 60},
      {R"({"token":"t","expires_in":null})", "t", 60},
      {R"({"token":"t","expires_in":0})", "t", 60},
      {R"({"token":"t","expires_in":-5})", "t", 60},
      {R"({"token":"t","expires_in":"300"})", "t", 60},
      {R"({"token":"t","expires_in":299.9})", "t", 299},
      {R"({"token":"t","expires_in":99999999999999999999})", "t", 3600},
  };
  for (const auto& c : cases) {
    CAPTURE(c.body);
    const auto token = parse_token(c.body);
    REQUIRE(token);
    CHECK(token->value == c.value);
    CHECK(token->lifetime == std::chrono::seconds(c.seconds));
  }
}

TEST_CASE("an answer without a usable token is a protocol error") {
  const std::string huge = R"({"token":")" + std::string(20'000, 'a') + "\"}";
  for (const std::string_view body :
       {std::string_view(""), std::string_view("<html>Sign in</html>"), std::string_view("[]"), std::string_view("{}"),
        std::string_view(R"({"token":5})"), std::string_view(R"({"token":"a b"})"),
        std::string_view(R"({"token":"a\r\nX-Evil: 1"})"), std::string_view(R"({"token":"a)"),
        std::string_view(R"({"token":"\u00fc"})"), std::string_view(huge)}) {
    CAPTURE(body.substr(0, 60));
    const auto token = parse_token(body);
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::protocol);
    CHECK(token.error().blame == Blame::upstream);
  }
}

}  // namespace
}  // namespace paddock
