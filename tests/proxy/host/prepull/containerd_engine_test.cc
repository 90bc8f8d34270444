#include "proxy/host/prepull/containerd_engine.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/proxy/host/prepull/fake_program.h"
#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::original;

const test::SampleImage image;
const std::string name = "registry.baidubce.com/a/b:1";

constexpr const char* script = R"(
shift 2
case "$*" in
  version) printf 'Client:\n  Version: 1.6.20\n\nServer:\n  Version:  1.7.1~ds1\n' ;;
  "images pull --help") [ -e $HERE/help ] && cat $HERE/help ;;
  "images check"*) cat $HERE/check; echo "ctr: why" >&2; [ ! -e $HERE/fails ] ;;
  "images pull"*)
    while [ "$1" != --hosts-dir ]; do shift; done
    cp -r "$2" $HERE/hosts
    ls -ld "$2" | cut -c1-10 > $HERE/mode
    echo "$NO_PROXY" > $HERE/no_proxy
    cat $HERE/said
    echo "ctr: why it failed" >&2
    [ ! -e $HERE/fails ]
    ;;
esac
)";

struct Node {
  test::FakeProgram ctr{script};
  CacheAccess cache{.url = Url::parse("http://cache.lan:5000").value()};
  PullWatch watch{image.progress(), {}};

  [[nodiscard]] Result<std::unique_ptr<Engine>> open() const {
    return ContainerdEngine::open({.program = ctr.path()}, cache);
  }
  Result<void> pull() { return open().value()->pull(image.order(name), watch); }
  [[nodiscard]] std::optional<EngineImage> find(const std::string& line) const {
    ctr.put("check", "REF TYPE DIGEST STATUS SIZE UNPACKED\n" + line + "\n");
    return open().value()->find(original(name), "").value();
  }
};

TEST_CASE("ctr is led to the cache, and to nothing else, by a folder of this run's own") {
  Node node;
  REQUIRE(node.pull());
  CHECK_THAT(node.ctr.calls(), Contains("--namespace k8s.io images pull --hosts-dir /") && Contains(" " + name + "\n"));
  CHECK(node.ctr.text("hosts/registry.baidubce.com/hosts.toml") ==
        "server = \"http://cache.lan:5000\"\n[host.\"http://cache.lan:5000\"]\n"
        "  capabilities = [\"pull\", \"resolve\"]\n");
}

TEST_CASE("password and CA stand in that folder, which is open to nobody else, and not among the arguments") {
  Node node;
  node.cache = {.url = Url::parse("https://cache.lan").value(), .user = "ci", .password = "secret", .ca_file = "/a\"b"};
  REQUIRE(node.pull());
  const auto hosts = node.ctr.text("hosts/registry.baidubce.com/hosts.toml");
  CHECK_THAT(hosts, Contains("  ca = \"/a\\\"b\"\n") && Contains("authorization = \"Basic Y2k6c2VjcmV0\"\n") &&
                        Contains("[host.\"https://cache.lan\".header]"));
  CHECK(node.ctr.text("mode") == "drwx------\n");
  CHECK_THAT(node.ctr.calls(), !Contains("secret") && !Contains("Y2k6c2VjcmV0"));
}

TEST_CASE("a ctr that would leave the pull to containerd is told not to") {
  Node node;
  node.ctr.put("help", "   --local  Fetch content from local client rather than using transfer service\n");
  auto order = image.order(name);
  order.platform = "linux/arm64";
  REQUIRE(node.open().value()->pull(order, node.watch));
  CHECK_THAT(node.ctr.calls(), Contains(" --local --platform linux/arm64 " + name));
}

TEST_CASE("its table is the progress") {
  Node node;
  node.ctr.put("said", "layer-" + image.layers[0].digest.to_string() + ": done |+++|\n");
  REQUIRE(node.pull());
  CHECK(node.watch.progress().downloaded() == 1000);
}

TEST_CASE("ctr asks the cache itself, whatever proxy leads out of this machine") {
  Node node;
  ::setenv("NO_PROXY", "intranet.lan", 1);
  REQUIRE(node.pull());
  CHECK(node.ctr.text("no_proxy") == "intranet.lan,cache.lan\n");
  ::unsetenv("NO_PROXY");
}

TEST_CASE("why it failed is what ctr said last") {
  Node node;
  node.ctr.put("fails", "");
  const auto pulled = node.pull();
  REQUIRE_FALSE(pulled);
  CHECK(pulled.error().code == ErrorCode::unavailable);
  CHECK_THAT(pulled.error().context, Contains("ctr: why it failed"));
}

TEST_CASE("an image counts when it is whole and unpacked") {
  const Node node;
  const auto digest = image.index.to_string();
  CHECK(node.find(name + " type " + digest + " complete (6/6) 4.0 MiB/4.0 MiB true").value().is(image.index));
  CHECK_FALSE(node.find(""));
  CHECK_FALSE(node.find(name + " type " + digest + " complete (6/6) 4.0 MiB/4.0 MiB false"));
  CHECK_FALSE(node.find(name + " type " + digest + " incomplete (3/6) 1.0 MiB/4.0 MiB false"));
  CHECK_FALSE(node.find(name + " type " + digest + " unavailable (0/?) 0/? false"));
  CHECK_FALSE(node.find("other:1 type " + digest + " complete (6/6) 4.0 MiB/4.0 MiB true"));
  CHECK_FALSE(node.find(name + " type sha256:nonsense complete (6/6) 4.0 MiB/4.0 MiB true"));
  CHECK_FALSE(node.find(name));
}

TEST_CASE("an image that is damaged, or another platform's, is not there: it can be pulled") {
  const Node node;
  node.ctr.put("fails", "");
  CHECK_FALSE(node.find(name + " type " + image.index.to_string() + " unavailable (0/?) 0/? false"));
  node.ctr.put("check", "");
  CHECK_THAT(node.open().value()->find(original(name), "").error().context, Contains("images check: ctr: why"));
}

TEST_CASE("what ctr cannot look at is refused") {
  const Node node;
  node.ctr.put("check", "REF\n");
  CHECK(node.open().value()->find(original(name), this_platform()));
  const auto refused = node.open().value()->find(original(name), "linux/s390x");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  CHECK_THAT(refused.error().context, Contains("leave --platform out"));
}

TEST_CASE("with a digest the tag is left aside") {
  const Node node;
  const auto digest = image.index.to_string();
  const auto engine = node.open().value();
  CHECK(engine->kept_as(original(name + "@" + digest)).value().to_string() == "registry.baidubce.com/a/b@" + digest);
  CHECK(engine->kept_as(original(name)).value().to_string() == name);
}

TEST_CASE("opening says which containerd answers, or why none does") {
  const Node node;
  CHECK(node.open().value()->describe() == "containerd 1.7.1~ds1, namespace k8s.io");
  const test::FakeProgram broken("echo 'ctr: connection refused' >&2; exit 1\n");
  const auto refused =
      ContainerdEngine::open({.program = broken.path(), .address = "/x.sock", .name_space = "n"}, node.cache);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().context, Contains("connection refused") && Contains("--socket"));
  CHECK(broken.calls() == "--address /x.sock --namespace n version\n");
  CHECK(ContainerdEngine::open({.program = "paddock-has-no-ctr"}, node.cache).error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace paddock
