#include "proxy/host/platform.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("this machine's platform is one that images name") {
  CHECK_THAT(this_platform(), Catch::Matchers::StartsWith("linux/"));
  CHECK(is_same_platform(this_platform(), this_platform()));
}

TEST_CASE("a platform has a name, with its variant if it has one") {
  CHECK(platform_name("linux", "amd64", "") == "linux/amd64");
  CHECK(platform_name("linux", "arm", "v7") == "linux/arm/v7");
}

TEST_CASE("platforms are the same but for a variant that one of them leaves out") {
  CHECK(is_same_platform("linux/arm64", "linux/arm64/v8"));
  CHECK(is_same_platform("linux/arm64/v8", "linux/arm64"));
  CHECK_FALSE(is_same_platform("linux/arm/v6", "linux/arm/v7"));
  CHECK_FALSE(is_same_platform("linux/arm", "linux/arm64"));
  CHECK_FALSE(is_same_platform("linux/amd64", "linux/arm64"));
  CHECK_FALSE(is_same_platform("linux", "linux/amd64/v1"));
  CHECK_FALSE(is_same_platform("", "linux/amd64"));
  CHECK_FALSE(is_same_platform("", ""));
}

}  // namespace
}  // namespace paddock
