#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::AdminServer;
using test::ApiFixture;

TEST_CASE("status shows the running server's report") {
  ApiFixture api;
  const AdminServer server(api);
  const auto outcome = test::paddock({"status", "--server", server.url()});
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  for (const auto* part :
       {"state        ready\n", "version      1.2.3", "uptime       1m 30s", "/var/lib/paddock",
        "3.0 MiB stored of 10.0 MiB, 50.0 MiB left on the disk",
        "2 running, 30 completed, 4 failed, 5 not kept, 6 suspended; 1 wait in line\n",
        "3.0 KiB from the store, 1.0 KiB while filling, 0 B uncached (75% hits)", "connections  9\n",
        "tls          OpenSSL (the kernel has none); connections so far: kernel 3, OpenSSL 1\n",
        "registry.baidubce.com (default), reachable; held back by its limit of connections\n",
        "  endpoint   registry.baidubce.com ok, 3 transfers, 5.0 MiB/s each\n",
        "  endpoint   b.example:444 slow, 1.0 MiB/s each\n", "docker.io, unreachable: connect timed out\n",
        "  endpoint   registry-1.docker.io resting\n", "quay.io, not tried yet\n"}) {
    CHECK_THAT(outcome.out, Contains(part));
  }
}

TEST_CASE("status --json prints the API's answer") {
  ApiFixture api;
  const AdminServer server(api);
  const auto outcome = test::paddock({"status", "--json", "--server", server.url()});
  CHECK(outcome.status == 0);
  CHECK(nlohmann::json::parse(outcome.out) == api.json(api.get("/api/v1/status")));
}

TEST_CASE("the server's address comes from the environment when no flag gives it") {
  ApiFixture api;
  const AdminServer server(api);
  const test::Variable address("PADDOCK_SERVER", server.url());
  CHECK(test::paddock({"status"}).status == 0);
}

TEST_CASE("a token that is missing is a failure with one line") {
  ApiFixture api("s3cret");
  const AdminServer server(api);
  const auto outcome = test::paddock({"status", "--server", server.url()});
  CHECK(outcome.status == 1);
  CHECK(outcome.out.empty());
  CHECK(test::is_one_line(outcome.err));
  CHECK_THAT(outcome.err, Contains("--token-file"));
}

TEST_CASE("a useless address is a usage error with one line") {
  const auto outcome = test::paddock({"status", "--server", "gopher://x\n"});
  CHECK(outcome.status == 2);
  CHECK(test::is_one_line(outcome.err));
}

TEST_CASE("a server of another version, or a hostile one, cannot break the output") {
  const AdminServer server(test::fixed_handler(
      200,
      R"({"version": "\u001b[31m9\nforged", "upstreams": [1, {"name": []}, null, {"name": "x", "health": [7, {"state": 1}], "limits": {"reached": [2, "\u001b"]}}], "store": 3})"));
  const auto outcome = test::paddock({"status", "--server", server.url()});
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, !Contains("\x1b") && !Contains("\nforged") && Contains("version      ?[31m9?forged"));
}

}  // namespace
}  // namespace paddock
