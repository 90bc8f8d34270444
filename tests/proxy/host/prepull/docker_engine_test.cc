#include "proxy/host/prepull/docker_engine.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/proxy/host/prepull/prepull_fixture.h"
#include "tests/support/fake_docker.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::FakeDocker;
using test::http_answer;
using test::http_stream;
using test::original;

const test::SampleImage image;
const std::string name = "registry.baidubce.com/a/b:1";
const std::string left = "cache.lan:5000/registry.baidubce.com/a/b@" + image.index.to_string();
const std::string at_cache = "/v1.41/images/" + left;

CacheAccess cache(const std::string& user = "") {
  return {.url = Url::parse("http://cache.lan:5000").value(), .user = user, .password = user.empty() ? "" : "secret?>"};
}

struct Node {
  FakeDocker docker;
  std::unique_ptr<Engine> engine = DockerEngine::open(docker.path(), cache()).value();
  PullWatch watch{image.progress(), {}};

  Node() {
    docker.answer("POST /v1.41/images/create",
                  http_stream(R"({"status":"Pull complete","id":")" + image.id(0) + "\"}\n"));
    docker.answer("POST " + at_cache + "/tag", http_answer(201, ""));
    docker.answer("DELETE " + at_cache, http_answer(200, "[]"));
    names({name});
  }
  // That the image has besides the one by which it has been pulled.
  void names(const std::vector<std::string>& tags, std::vector<std::string> digests = {left}) {
    const nlohmann::json json = {{"RepoTags", tags}, {"RepoDigests", std::move(digests)}};
    docker.answer_now("GET " + at_cache + "/json", http_answer(200, json.dump()));
  }
  Result<void> pull(const std::string& reference = name) { return engine->pull(image.order(reference), watch); }
  std::string failure(const std::string& answer) {
    docker.answer_now("POST /v1.41/images/create", answer);
    const auto pulled = pull();
    return pulled ? "" : pulled.error().context;
  }
};

TEST_CASE("an image is pulled by digest, named, and only then the cache's name is taken away") {
  Node node;
  REQUIRE(node.pull());
  const auto digest = percent_encode(image.index.to_string());
  CHECK(node.docker.requests() ==
        std::vector<std::string>{
            "GET /_ping",
            "POST /v1.41/images/create?fromImage=cache.lan%3A5000%2Fregistry.baidubce.com%2Fa%2Fb&tag=" + digest,
            "POST " + at_cache + "/tag?repo=registry.baidubce.com%2Fa%2Fb&tag=1",
            "GET " + at_cache + "/json",
            "DELETE " + at_cache + "?noprune=1",
        });
  CHECK(node.watch.progress().ready() == 1);
  CHECK(node.watch.notes().empty());
  CHECK_THAT(node.docker.last_header(), !Contains("X-Registry-Auth"));
}

TEST_CASE("the platform and the password are handed on") {
  Node node;
  node.engine = DockerEngine::open(node.docker.path(), cache("ci")).value();
  auto order = image.order(name);
  order.platform = "linux/arm64";
  REQUIRE(node.engine->pull(order, node.watch));
  CHECK_THAT(node.docker.requests()[2], Contains("&platform=linux%2Farm64"));
  // {"password":"secret?>","serveraddress":"cache.lan:5000","username":"ci"}, as base64 for URLs
  CHECK_THAT(
      node.docker.last_header(),
      Contains("X-Registry-Auth: eyJwYXNzd29yZCI6InNlY3JldD8-Iiwic2VydmVyYWRkcmVzcyI6ImNhY2hlLmxhbjo1MDAwIiwid"));
}

TEST_CASE("an image that is not named is not unnamed either") {
  Node node;
  node.docker.answer_now("POST " + at_cache + "/tag", http_answer(500, R"({"message":"disk is full"})"));
  const auto pulled = node.pull();
  REQUIRE_FALSE(pulled);
  CHECK_THAT(pulled.error().context, Contains("disk is full") && Contains(name));
  CHECK_FALSE(node.docker.asked("DELETE"));
}

TEST_CASE("the cache's name that is in use is left, and said") {
  Node node;
  node.docker.answer_now("DELETE " + at_cache, http_answer(409, R"({"message":"conflict: container 1 is using it"})"));
  CHECK(node.pull());
  REQUIRE(node.watch.notes().size() == 1);
  CHECK_THAT(node.watch.notes().front(), Contains("is left: conflict: container 1 is using it"));
}

TEST_CASE("another run that was quicker is no failure of this one") {
  Node node;
  node.docker.answer_now("POST " + at_cache + "/tag", http_answer(404, R"({"message":"no such image"})"));
  CHECK(node.pull());
  CHECK(std::ranges::count_if(node.docker.requests(), [](auto& line) { return line.contains("/create?"); }) == 2);
}

TEST_CASE("what is pruned before it is named is pulled once more") {
  Node node;
  node.docker.answer_now("POST " + at_cache + "/tag", http_answer(404, R"({"message":"no such image"})"));
  node.docker.answer("POST " + at_cache + "/tag", http_answer(201, ""));
  CHECK(node.pull());
  CHECK(node.docker.asked("DELETE " + at_cache));
}

TEST_CASE("a name at the cache that somebody else has given is left alone") {
  const std::string tag = "cache.lan:5000/registry.baidubce.com/a/b:mine", other = "cache.lan:5000/a/b:1";
  Node node;
  node.names({name, tag});
  CHECK(node.pull());
  CHECK_FALSE(node.docker.asked("DELETE"));
  node.names({name}, {"registry.baidubce.com/a/b@" + image.index.to_string()});
  CHECK(node.pull());
  CHECK_FALSE(node.docker.asked("DELETE"));
  node.names({name, other});
  node.engine->tidy(image.order(name), node.watch);
  CHECK_FALSE(node.docker.asked("DELETE"));
  CHECK(node.pull());
  CHECK(node.docker.asked("DELETE " + at_cache));
  CHECK(node.watch.notes().empty());
}

TEST_CASE("what Docker refuses comes with a remedy") {
  Node node;
  CHECK_THAT(node.failure(http_answer(500, R"({"message":"Get x: http: server gave HTTP response to HTTPS client"})")),
             Contains(R"("insecure-registries": ["cache.lan:5000"])"));
  CHECK_THAT(node.failure(http_answer(500, R"({"message":"x509: certificate signed by unknown authority"})")),
             Contains("/etc/docker/certs.d/cache.lan:5000/ca.crt"));
  CHECK_THAT(node.failure(http_answer(401, R"({"message":"unauthorized: who are you"})")), Contains("--password-file"));
  CHECK_THAT(node.failure(http_answer(500, "not JSON \x1b[2J")), Contains("status 500") && !Contains("\x1b"));
  CHECK_FALSE(node.docker.asked("POST " + at_cache + "/tag"));
}

TEST_CASE("a stream that ends in an error, or in the middle, is a failure") {
  Node node;
  CHECK_THAT(node.failure(http_stream(R"({"status":"Waiting"})"
                                      "\n"
                                      R"({"error":"unexpected EOF"})")),
             Contains("unexpected EOF"));
  CHECK_THAT(node.failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta"), Contains("closed"));
  CHECK_FALSE(node.docker.asked("POST " + at_cache + "/tag"));
}

TEST_CASE("a stream that repeats itself is ended") {
  Node node;
  node.docker.repeat("POST /v1.41/images/create", R"({"status":"Waiting","id":")" + image.id(0) + "\"}\n");
  PullWatch impatient(image.progress(), {.patience = std::chrono::seconds(1)});
  CHECK(node.engine->pull(image.order(name), impatient).error().code == ErrorCode::timeout);
  CHECK(node.docker.repeated() > 1);
}

TEST_CASE("a pull that is told to stop stops") {
  Node node;
  node.docker.hang("POST /v1.41/images/create");
  PullWatch stopped(image.progress(), {.stopped = [] { return true; }});
  CHECK(node.engine->pull(image.order(name), stopped).error().code == ErrorCode::cancelled);
}

TEST_CASE("what Docker holds under a name, by every digest that it gives") {
  Node node;
  CHECK(node.engine->find(original(name), "").value() == std::nullopt);
  node.docker.answer("GET /v1.41/images/" + name + "/json",
                     http_answer(200, R"({"Id":")" + image.configuration.to_string() + R"(","RepoDigests":["x/y@)" +
                                          image.index.to_string() +
                                          R"(","nonsense",7],"Os":"linux","Architecture":"arm64","Variant":"v8"})"));
  const auto found = node.engine->find(original(name), "").value().value();
  CHECK(found.is(image.configuration));
  CHECK(found.is(image.index));
  CHECK(found.digests.size() == 2);
  CHECK(found.platform == "linux/arm64/v8");
}

TEST_CASE("a Docker that keeps several platforms under a name is asked for the one that is wanted") {
  Node node;
  CHECK(node.engine->find(original(name), "linux/arm64").value() == std::nullopt);
  CHECK(node.docker.asked("GET /v1.41/images/" + name + "/json"));
  CHECK_FALSE(node.docker.asked("GET /v1.41/images/" + name + "/json?"));
  for (const std::string version : {"1.49", "1.52"}) {
    node.docker.answer_now("GET /_ping", http_answer(200, "OK", "Api-Version: " + version + "\r\n"));
    node.engine = DockerEngine::open(node.docker.path(), cache()).value();
    CHECK(node.engine->find(original(name), "linux/arm64/v8").value() == std::nullopt);
    CHECK(node.docker.requests().back() ==
          "GET /v" + version + "/images/" + name +
              "/json?platform=" + percent_encode(R"({"architecture":"arm64","os":"linux","variant":"v8"})"));
    CHECK(node.engine->find(original(name), "").value() == std::nullopt);
    CHECK(node.docker.requests().back() == "GET /v" + version + "/images/" + name + "/json");
  }
}

TEST_CASE("an answer that makes no sense is an error") {
  Node node;
  for (const auto& answer : {http_answer(200, "[]"), http_answer(200, "{"), http_answer(500, "{}"), std::string()}) {
    node.docker.answer_now("GET /v1.41/images/" + name + "/json", answer);
    CHECK_FALSE(node.engine->find(original(name), ""));
  }
  node.docker.answer_now("GET /v1.41/images/" + name + "/json", http_answer(200, R"({"Id":7,"RepoDigests":{}})"));
  CHECK(node.engine->find(original(name), "").value().value().digests.empty());
}

TEST_CASE("a name by digest needs a tag beside it") {
  const Node node;
  const auto digest = image.index.to_string();
  CHECK(node.engine->kept_as(original(name + "@" + digest)).value().to_string() == name);
  const auto refused = node.engine->kept_as(original("registry.baidubce.com/a/b@" + digest));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().context, Contains("give it a tag too"));
}

TEST_CASE("the cache's own names are left") {
  Node node;
  node.docker.answer("POST /v1.41/images/cache.lan:5000/a/b@", http_answer(201, ""));
  REQUIRE(node.pull("cache.lan:5000/a/b:1"));
  CHECK_FALSE(node.docker.asked("DELETE"));
}

TEST_CASE("what is left of an interruption is taken away") {
  Node node;
  node.engine->tidy(image.order(name), node.watch);
  CHECK(node.docker.asked("DELETE " + at_cache));
}

TEST_CASE("opening says who answers") {
  FakeDocker docker;
  CHECK(DockerEngine::open(docker.path(), cache()).value()->describe() == "docker 20.10.24+dfsg1 at " + docker.path());
  docker.answer_now("GET /_ping", http_answer(200, "OK", "Api-Version: 1.41/../../x\r\nServer: Other/1\r\n"));
  CHECK(DockerEngine::open(docker.path(), cache()).value()->describe() ==
        "docker of unknown version at " + docker.path());
  docker.answer_now("GET /_ping", http_answer(200, "OK", "Libpod-API-Version: 4.3.1\r\n"));
  CHECK_THAT(DockerEngine::open(docker.path(), cache()).error().context, Contains("--engine podman"));
  docker.answer_now("GET /_ping", http_answer(500, R"({"message":"starting"})"));
  CHECK_THAT(DockerEngine::open(docker.path(), cache()).error().context, Contains("starting"));
  CHECK_THAT(DockerEngine::open("/nowhere/docker.sock", cache()).error().context,
             Contains("is docker running?") && Contains("/nowhere/docker.sock"));
}

TEST_CASE("DOCKER_HOST leads to a socket of this machine") {
  CHECK(docker_socket_path("") == "/var/run/docker.sock");
  CHECK(docker_socket_path("unix:///run/user/1000/docker.sock") == "/run/user/1000/docker.sock");
  for (const auto* host : {"tcp://10.0.0.1:2375", "ssh://build", "npipe:////./pipe/docker"}) {
    CHECK(docker_socket_path(host).error().code == ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace paddock
