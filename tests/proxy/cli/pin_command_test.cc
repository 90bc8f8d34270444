#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

struct PinServer {
  test::ApiFixture api;
  test::AdminServer server{api};

  test::Outcome run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server.url()});
    return test::paddock(arguments);
  }
};

TEST_CASE("pin keeps an image, for a time or for ever") {
  PinServer cache;
  const auto outcome = cache.run({"pin", "a/b:1", "--for", "1h"});
  CHECK(outcome.status == 0);
  CHECK(outcome.out == "registry.baidubce.com/paddlepaddle/paddle:2.6.2 is kept until 2023-11-14T22:14:20Z\n");
  CHECK(cache.api.last_pin.image == "a/b:1");
  CHECK(cache.api.last_pin.time == std::chrono::hours(1));
  CHECK(nlohmann::json::parse(cache.run({"pin", "a/b:1", "--json"}).out).contains("digest"));
  CHECK_FALSE(cache.api.last_pin.time);
}

TEST_CASE("unpin lets it go") {
  PinServer cache;
  CHECK(cache.run({"unpin", "a/b:1"}).out == "registry.baidubce.com/paddlepaddle/paddle:2.6.2 may be evicted\n");
  CHECK(cache.api.last_reference == "a/b:1");
}

TEST_CASE("what cannot be pinned or unpinned is said, and exits 1 or 2") {
  PinServer cache;
  CHECK(cache.run({"pin", "a/b:1", "--for", "ages"}).status == 2);
  CHECK(cache.run({"pin"}).status == 2);
  cache.api.error = Error{ErrorCode::not_found, Blame::client, "a/b:1 is not pinned"};
  const auto outcome = cache.run({"unpin", "a/b:1"});
  CHECK(outcome.status == 1);
  CHECK(test::is_one_line(outcome.err));
}

}  // namespace
}  // namespace paddock
