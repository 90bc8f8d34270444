#include "proxy/host/prepull/podman_engine.h"

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
case "$*" in
  version*) echo 4.3.1 ;;
  "image exists"*) exit $(cat $HERE/exists) ;;
  "image inspect"*) cat $HERE/inspect ;;
  pull*)
    cp "$CONTAINERS_REGISTRIES_CONF" $HERE/conf
    echo "$NO_PROXY" > $HERE/no_proxy
    while [ $# -gt 0 ]; do
      [ "$1" != --authfile ] || cp "$2" $HERE/auth
      [ "$1" != --cert-dir ] || cp "$2/ca.crt" $HERE/ca
      shift
    done
    echo "Writing manifest to image destination" >&2
    echo "Error: why it failed" >&2
    [ ! -e $HERE/fails ]
    ;;
esac
)";

struct Node {
  test::FakeProgram podman{script};
  CacheAccess cache{.url = Url::parse("http://cache.lan:5000").value()};
  PullWatch watch{image.progress(), {}};

  [[nodiscard]] std::unique_ptr<Engine> open() const { return PodmanEngine::open(cache, podman.path()).value(); }
  Result<void> pull() { return open()->pull(image.order(name), watch); }
  [[nodiscard]] Result<std::optional<EngineImage>> find(const std::string& exists, const std::string& inspect) const {
    podman.put("exists", exists);
    podman.put("inspect", inspect);
    return open()->find(original(name), "");
  }
};

TEST_CASE("podman is told that the repository is at the cache, and nowhere else") {
  Node node;
  REQUIRE(node.pull());
  CHECK(node.podman.text("conf") ==
        "unqualified-search-registries = []\n[[registry]]\nprefix = \"registry.baidubce.com/a/b\"\n"
        "location = \"cache.lan:5000/registry.baidubce.com/a/b\"\ninsecure = true\n");
  CHECK_THAT(node.podman.calls(), Contains("pull " + name + "\n"));
  CHECK(node.watch.progress().ready() == 2);
}

TEST_CASE("password and CA are handed on in files, not among the arguments") {
  Node node;
  node.podman.put("trusted.pem", "the CA");
  const auto ca = std::filesystem::path(node.podman.path()).parent_path() / "trusted.pem";
  node.cache = {.url = Url::parse("https://cache.lan:5000").value(), .user = "ci", .password = "secret", .ca_file = ca};
  REQUIRE(node.pull());
  CHECK_THAT(node.podman.text("conf"), Contains("insecure = false"));
  CHECK(node.podman.text("auth") == R"({"auths":{"cache.lan:5000":{"auth":"Y2k6c2VjcmV0"}}})");
  CHECK(node.podman.text("ca") == "the CA");
  CHECK_THAT(node.podman.calls(), !Contains("secret") && !Contains("Y2k6"));
  node.cache.ca_file = "/nowhere/ca.pem";
  CHECK_THAT(node.pull().error().context, Contains("/nowhere/ca.pem"));
}

TEST_CASE("the platform is handed on, and why it failed is what podman said last") {
  Node node;
  node.podman.put("fails", "");
  auto order = image.order(name);
  order.platform = "linux/arm64";
  const auto pulled = node.open()->pull(order, node.watch);
  REQUIRE_FALSE(pulled);
  CHECK_THAT(pulled.error().context, Contains("Error: why it failed"));
  CHECK_THAT(node.podman.calls(), Contains("--platform linux/arm64"));
}

TEST_CASE("podman asks the cache itself, whatever proxy leads out of this machine") {
  Node node;
  ::setenv("no_proxy", "intranet.lan", 1);
  REQUIRE(node.pull());
  CHECK(node.podman.text("no_proxy") == "intranet.lan,cache.lan\n");
  ::unsetenv("no_proxy");
}

TEST_CASE("an upstream that has no path at the cache is refused") {
  Node node;
  CHECK(node.open()->pull(image.order("registry.lan:5100/a:1"), node.watch).error().code == ErrorCode::unsupported);
}

TEST_CASE("what podman holds, by every digest that it gives") {
  const Node node;
  CHECK(node.find("1", "").value() == std::nullopt);
  const auto found = node.find("0", "[\"" + image.index.to_string() + "\", \"" + image.configuration.hex() +
                                        "\", [\"x/y@" + image.manifest.to_string() + "\", 7], \"linux\", \"arm64\"]\n");
  CHECK(found.value().value().is(image.index));
  CHECK(found.value().value().is(image.manifest));
  CHECK(found.value().value().is(image.configuration));
  CHECK(found.value().value().platform == "linux/arm64");
  CHECK(node.find("0", "[null, null, null, null, null]").value().value().digests.empty());
}

TEST_CASE("what makes no sense is an error") {
  const Node node;
  for (const auto* text : {"", "{}", "[1, 2]", "nonsense"}) CHECK_FALSE(node.find("0", text));
  CHECK_FALSE(node.find("125", "[null, null, null, null, null]"));
}

TEST_CASE("opening says which podman it is, or why there is none") {
  const Node node;
  CHECK(node.open()->describe() == "podman 4.3.1");
  CHECK(PodmanEngine::open(node.cache, "paddock-has-no-podman").error().code == ErrorCode::not_found);
  const test::FakeProgram broken("echo 'Error: no subuids' >&2; exit 125\n");
  CHECK_THAT(PodmanEngine::open(node.cache, broken.path()).error().context, Contains("no subuids"));
}

}  // namespace
}  // namespace paddock
