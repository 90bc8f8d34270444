#include "proxy/ingress/credential_tokens.h"

#include <catch2/catch.hpp>
#include <random>

namespace paddock {
namespace {

const WallTime now{std::chrono::seconds(1'800'000'000)};
const WallTime later = now + std::chrono::hours(1);

TEST_CASE("what was sealed is opened, for its host and in its time") {
  const CredentialTokens tokens;
  const auto [user, password] = GENERATE(values<std::pair<std::string, std::string>>(
      {{"ci", "secret"}, {"", ""}, {"robot$ci", std::string(500, 'x')}, {"ü", "p:a ss\xFF"}}));
  const auto token = tokens.seal({user, password}, "registry.example", later);
  CHECK(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
  const auto opened = tokens.open(token, "registry.example", now);
  REQUIRE(opened);
  CHECK(opened->user == user);
  CHECK(opened->password == password);
  CHECK_FALSE(tokens.open(token, "other.example", now));
  CHECK_FALSE(tokens.open(token, "registry.example", later));
  CHECK_FALSE(CredentialTokens().open(token, "registry.example", now));
}

TEST_CASE("no two tokens are alike, and none tells what is in it") {
  const CredentialTokens tokens;
  const auto one = tokens.seal({"ci", "secret"}, "a", later);
  CHECK(one != tokens.seal({"ci", "secret"}, "a", later));
  CHECK_FALSE(one.contains("secret"));
}

TEST_CASE("whatever else is given opens nothing") {
  const CredentialTokens tokens;
  const auto token = tokens.seal({"ci", "secret"}, "a", later);
  for (const std::string& text : {std::string(), std::string("anonymous"), std::string(100'000, 'A'),
                                  std::string("=+/"), token + "A", token.substr(1), token.substr(0, 20)}) {
    CHECK_FALSE(tokens.open(text, "a", now));
  }
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    auto changed = token;
    const auto at = random() % token.size();
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK_FALSE(tokens.open(changed, "a", now));
  }
}

}  // namespace
}  // namespace paddock
