#include "proxy/net/descriptor_budget.h"

#include <catch2/catch.hpp>
#include <sys/resource.h>

namespace paddock {
namespace {

TEST_CASE("clients and the admin side together never get all descriptors") {
  for (const std::uint64_t limit : {200U, 256U, 1024U, 4096U, 65536U, 1048576U}) {
    CAPTURE(limit);
    const auto budget = share_descriptors(limit);
    CHECK(budget.descriptors + budget.admin + 64 < limit);
    CHECK(budget.clients + 2 * 16 <= budget.descriptors);  // with all of them idle some can still ask
    CHECK(budget.clients >= 16);
    CHECK(budget.admin >= 16);
  }
}

TEST_CASE("the usual limit leaves room for hundreds of clients, a large one for twenty thousand") {
  CHECK(share_descriptors(1024).clients == 512);
  CHECK(share_descriptors(20'000).clients > 10'000);
  CHECK(share_descriptors(1048576).clients == 20'000);
  CHECK(share_descriptors(UINT64_MAX).clients == 20'000);  // RLIM_INFINITY
}

TEST_CASE("a limit too small to work with still lets a few in") {
  for (const std::uint64_t limit : {0U, 1U, 64U, 96U}) {
    CAPTURE(limit);
    CHECK(share_descriptors(limit).clients > 0);
    CHECK(share_descriptors(limit).admin > 0);
  }
}

TEST_CASE("a limit too small for the store is refused with what to do") {
  CHECK(enough_descriptors(128));
  CHECK(enough_descriptors(UINT64_MAX));
  const auto refused = enough_descriptors(127);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().context.find("is 127: raise it to 128") != std::string::npos);
}

TEST_CASE("the soft limit is raised to the hard one") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit lowered = before;
  lowered.rlim_cur = std::min<rlim_t>(before.rlim_max, 100);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  CHECK(raise_descriptor_limit() == before.rlim_max);
  rlimit after{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace paddock
