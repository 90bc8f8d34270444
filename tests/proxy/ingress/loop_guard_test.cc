#include "proxy/ingress/loop_guard.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

Request request_via(std::vector<std::string> ways) {
  Request request;
  request.headers.add("Host", "registry.baidubce.com");
  for (auto& way : ways) request.headers.add("Via", std::move(way));
  return request;
}

TEST_CASE("a request of its own that comes back is refused with the remedy, others' are not") {
  const LoopGuard guard;
  const LoopGuard other;
  CHECK(guard.via() != other.via());
  for (const auto& ways : std::vector<std::vector<std::string>>{
           {guard.via()}, {"1.1 proxy", guard.via()}, {"1.0 squid, " + guard.via() + ", 1.1 nginx"}}) {
    const auto refusal = guard.refusal(request_via(ways));
    REQUIRE(refusal);
    CHECK(refusal->status == 508);
    CHECK(std::get<std::string>(refusal->body).contains("resolve: {registry.baidubce.com: ADDRESS}"));
  }
  CHECK_FALSE(guard.refusal(request_via({})));
  CHECK_FALSE(guard.refusal(request_via({other.via(), "1.1 paddock"})));
}

}  // namespace
}  // namespace paddock
