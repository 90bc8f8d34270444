#include "proxy/upstream/link_cache.h"

#include <catch2/catch.hpp>

#include "tests/support/manual_clock.h"

namespace paddock {
namespace {

const std::string target = "/v2/a/b/blobs/sha256:1";

RedirectStep step_to(const std::string& url) {
  return {.url = Url::parse(url).value(), .authorized = false, .public_addresses_only = true, .hops = 1};
}

struct Fixture {
  ManualClock clock;
  LinkCache links{clock};
  RedirectStep step = step_to("https://store.example/layer?sign=1");
};

TEST_CASE_METHOD(Fixture, "a link is found again as it was followed, for a while") {
  CHECK(links.find(0, target) == nullptr);
  const auto kept = links.keep(0, target, step);
  REQUIRE(kept);
  const auto found = links.find(0, target);
  REQUIRE(found == kept);
  CHECK(found->step.url.to_string() == "https://store.example/layer?sign=1");
  CHECK(found->step.public_addresses_only);
  CHECK_FALSE(found->step.authorized);
  clock.advance(std::chrono::seconds(59));
  CHECK(links.find(0, target));
  clock.advance(std::chrono::seconds(1));
  CHECK(links.find(0, target) == nullptr);
}

TEST_CASE_METHOD(Fixture, "a link is for one target at one endpoint") {
  links.keep(0, target, step);
  CHECK(links.find(1, target) == nullptr);
  CHECK(links.find(0, "/v2/a/c/blobs/sha256:1") == nullptr);
  CHECK(links.find(0, "/v2/a/b/blobs/sha256:2") == nullptr);
}

TEST_CASE_METHOD(Fixture, "where our credentials may go, or nobody was redirected to, is no link") {
  step.authorized = true;
  CHECK(links.keep(0, target, step) == nullptr);
  step.authorized = false;
  step.hops = 0;
  CHECK(links.keep(0, target, step) == nullptr);
  CHECK(links.size() == 0);
}

TEST_CASE_METHOD(Fixture, "a link that is no good makes room for a newer one, which is not forgotten in its stead") {
  const auto old = links.keep(0, target, step);
  const auto fresh = links.keep(0, target, step_to("https://store.example/layer?sign=2"));
  CHECK(links.find(0, target) == fresh);
  links.forget(*old);
  CHECK(links.find(0, target) == fresh);
  links.forget(*fresh);
  CHECK(links.find(0, target) == nullptr);
  links.forget(*fresh);
  CHECK(links.size() == 0);
}

TEST_CASE_METHOD(Fixture, "all links of an endpoint are forgotten together") {
  links.keep(0, target, step);
  links.keep(0, "/v2/c/blobs/sha256:2", step);
  const auto other = links.keep(1, target, step);
  links.forget_endpoint(0);
  CHECK(links.size() == 1);
  CHECK(links.find(1, target) == other);
}

TEST_CASE("the cache of links is bounded, in number and in size") {
  ManualClock clock;
  LinkCache links(clock, {.capacity = 10, .longest = 100});
  for (int i = 0; i < 100; ++i) {
    CHECK(links.keep(0, std::to_string(i), step_to("https://store.example/" + std::to_string(i))));
    CHECK(links.size() <= 10);
    CHECK(links.find(0, std::to_string(i)));
    clock.advance(std::chrono::seconds(1));
  }
  // The oldest go first.
  CHECK(links.find(0, "95"));
  CHECK(links.find(0, "80") == nullptr);
  CHECK(links.keep(0, "long", step_to("https://store.example/" + std::string(100, 'x'))) == nullptr);
  CHECK(links.keep(0, std::string(101, 'x'), step_to("https://store.example/")) == nullptr);
}

}  // namespace
}  // namespace paddock
