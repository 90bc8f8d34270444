#include "proxy/cli/blocking_http.h"

#include <catch2/catch.hpp>

#include "tests/proxy/net/raw_socket.h"
#include "tests/support/scripted_registry.h"

namespace paddock {
namespace {

using namespace std::chrono_literals;

ClientRequest request(const std::string& url) {
  ClientRequest made;
  made.url = Url::parse(url).value();
  return made;
}

TEST_CASE("an answer comes whole: status, headers, body") {
  test::ScriptedRegistry registry;
  registry.add_object("/x", "content");
  const auto answer = ask_http(request(registry.url() + "/x"), 30s, 100);
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "content");
  CHECK(answer->headers.get("Content-Length") == "7");
}

TEST_CASE("a body above the limit is refused") {
  test::ScriptedRegistry registry;
  registry.add_object("/x", "content");
  CHECK(ask_http(request(registry.url() + "/x"), 30s, 6).error().code == ErrorCode::too_large);
}

TEST_CASE("a server that says nothing is given up") {
  const RawListener silent;
  const auto answer = ask_http(request(silent.url()), 100ms, 100);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::timeout);
}

TEST_CASE("a body that stops is given up too") {
  test::ScriptedRegistry registry;
  registry.add_object("/x", "content");
  registry.script("/x", {.stall_at = 3});
  CHECK(ask_http(request(registry.url() + "/x"), 300ms, 100).error().code == ErrorCode::timeout);
}

}  // namespace
}  // namespace paddock
