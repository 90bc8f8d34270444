#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "storage/digest.h"
#include "tests/proxy/cli/command_line.h"
#include "tests/support/fake_docker.h"
#include "tests/support/scripted_registry.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::FakeDocker;
using test::http_answer;
using test::paddock;
using test::ScriptedRegistry;
using Json = nlohmann::json;

constexpr const char* repository = "paddlepaddle/paddle";
constexpr const char* name = "registry.baidubce.com/paddlepaddle/paddle:1";

// Of a registry that is none of the cache's.
const test::Behaviour not_for_it{
    .status = 404,
    .body = R"({"errors":[{"code":"NAME_UNKNOWN","message":"no upstream is named 'ghcr.io'"}]})",
    .headers = {{"X-Paddock-Reason", "unknown-upstream"}}};

// A cache and a Docker on loopback. The cache serves any upstream by ns=.
struct Node {
  ScriptedRegistry cache;
  FakeDocker docker;
  TemporaryFolder folder;
  Digest configuration = cache.add_blob(repository, "{}");
  Digest manifest = put("1");

  Digest put(const std::string& tag) {
    const Json json = {{"schemaVersion", 2},
                       {"mediaType", test::oci_manifest_type},
                       {"config",
                        {{"mediaType", "application/vnd.oci.image.config.v1+json"},
                         {"digest", configuration.to_string()},
                         {"size", 2}}},
                       {"layers", Json::array()}};
    cache.add_manifest(repository, json.dump(), test::oci_manifest_type, tag);
    return Digest::of(json.dump());
  }
  void has(const std::string& image) {
    docker.answer("GET /v1.41/images/" + image + "/json",
                  http_answer(200, R"({"Id":")" + configuration.to_string() + "\"}"));
  }
  // Pulls well, and has it then.
  void can_pull() {
    const auto question = "GET /v1.41/images/" + std::string(name) + "/json";
    docker.answer(question, http_answer(404, "{}"));
    docker.answer(question, http_answer(200, R"({"Id":")" + configuration.to_string() + "\"}"));
    docker.answer("POST /v1.41/images/create", test::http_stream("{}\n"));
    docker.answer("POST /v1.41/images/127.0.0.1", http_answer(201, ""));
  }
  test::Outcome prepull(std::vector<std::string> more) {
    more.insert(more.begin(), {"prepull", "--engine", "docker", "--socket", docker.path(), "--cache", cache.url()});
    return paddock(more);
  }
  [[nodiscard]] std::string file(const std::string& called, const std::string& content) const {
    std::ofstream(folder / called) << content;
    return folder / called;
  }
};

TEST_CASE("exit status 0 when all images are ready, and what became of each") {
  Node node;
  node.can_pull();
  node.put("2");
  node.has("registry.baidubce.com/paddlepaddle/paddle:2");
  const auto done = node.prepull({name, "registry.baidubce.com/paddlepaddle/paddle:2", name});
  CHECK(done.status == 0);
  CHECK(done.err.empty());
  CHECK_THAT(done.out,
             Contains("with docker 20.10.24+dfsg1 at " + node.docker.path() + ", through " + node.cache.url()));
  CHECK_THAT(done.out, Contains(std::string(name) + ": pulled (" + node.manifest.to_string() + ")\n"));
  CHECK_THAT(done.out, Contains("paddle:2: already there"));
  CHECK_THAT(done.out, Contains("2 of 2 images are ready: 1 already there, 1 pulled\n"));
}

TEST_CASE("exit status 1 when one is not, and the others go on") {
  Node node;
  node.has(name);
  const auto done = node.prepull({"registry.baidubce.com/paddlepaddle/paddle:none", name});
  CHECK(done.status == 1);
  CHECK(test::is_one_line(done.err));
  CHECK_THAT(done.err, Contains("paddle:none: "));
  CHECK_THAT(done.out, Contains("1 of 2 images are ready: 1 already there, 0 pulled"));
}

TEST_CASE("as JSON") {
  Node node;
  node.has(name);
  const auto done = node.prepull({name, "--json"});
  const auto json = Json::parse(done.out);
  CHECK(json["engine"] == "docker");
  CHECK(json["cache"] == node.cache.url());
  CHECK(json["ready"] == true);
  CHECK(json["images"][0]["image"] == name);
  CHECK(json["images"][0]["state"] == "present");
  CHECK(json["images"][0]["digest"] == node.manifest.to_string());
}

TEST_CASE("the cache is asked by ns, with the password") {
  Node node;
  node.has(name);
  CHECK(node.prepull({name, "--user", "ci", "--password-file", node.file("password", "secret\n")}).status == 0);
  const auto asked = node.cache.requests().back();
  CHECK(asked.query("ns") == "registry.baidubce.com");
  CHECK(asked.header("Authorization") == "Basic Y2k6c2VjcmV0");
  node.cache.script("GET /v2/", {.status = 401});
  CHECK_THAT(node.prepull({name}).err, Contains("--user and --password-file say who you are"));
}

TEST_CASE("images come from lists and CI files, and what is no business of the cache is left out of the latter") {
  Node node;
  node.has(name);
  const auto list = node.file("images", std::string("# ours\n") + name + "\n");
  CHECK(node.prepull({"--file", list}).status == 0);
  const auto pipeline = node.file(".gitlab-ci.yml", std::string("a:\n  image: ") + name +
                                                        "\n  script: [x]\nb:\n  image: ghcr.io/x/y:1\n  script: [x]\n");
  node.cache.script("GET /v2/x/y/", not_for_it, 0);
  const auto done = node.prepull({"--from-ci", pipeline});
  CHECK(done.status == 0);
  CHECK_THAT(done.out, Contains("ghcr.io/x/y:1: left out") && Contains("1 of 1 images are ready"));
  const auto json = Json::parse(node.prepull({"--from-ci", pipeline, "--json"}).out);
  CHECK(json["ready"] == true);
  CHECK(json["images"][1]["state"] == "elsewhere");
  CHECK(json["images"][1]["error"]["code"] == "not found");
  const auto empty = node.prepull({"--file", node.file("empty", "#\n")});
  CHECK(empty.status == 1);
  CHECK_THAT(empty.err, Contains("no image is named there"));
}

TEST_CASE("images none of which is the cache's are no success") {
  Node node;
  node.cache.script("GET /v2/x/y/", not_for_it, 0);
  const auto pipeline = node.file(".gitlab-ci.yml", "a:\n  image: ghcr.io/x/y:1\n  script: [x]\n");
  const auto done = node.prepull({"--from-ci", pipeline});
  CHECK(done.status == 1);
  CHECK_THAT(done.out, Contains("ghcr.io/x/y:1: left out") && Contains("0 of 0 images are ready"));
  CHECK(Json::parse(node.prepull({"--from-ci", pipeline, "--json"}).out)["ready"] == false);
  const auto named = node.prepull({"ghcr.io/x/y:1"});
  CHECK(named.status == 1);
  CHECK_THAT(named.err, Contains("no upstream is named 'ghcr.io'"));
}

TEST_CASE("an image that is not found for another reason is not left out") {
  Node node;
  auto missing = not_for_it;
  missing.headers = {};
  node.cache.script("GET /v2/x/y/", missing, 0);
  const auto pipeline = node.file(".gitlab-ci.yml", "a:\n  image: ghcr.io/x/y:1\n  script: [x]\n");
  const auto done = node.prepull({"--from-ci", pipeline});
  CHECK(done.status == 1);
  CHECK_THAT(done.err, Contains("no upstream is named 'ghcr.io'"));
}

TEST_CASE("what prepull cannot make sense of is a usage error") {
  Node node;
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"UPPER:x y"},
      {name, "--platform", "amd64"},
      {name, "--patience", "soon"},
      {name, "--patience", "0s"},
      {name, "--user", "ci"},
      {name, "--password-file", "/etc/hostname"},
      {name, "--user", "ci", "--password-file", "/nowhere"},
      {name, "--ca", "/etc/ssl/ca.pem"},
      {name, "--file", "/nowhere"},
  };
  for (const auto& arguments : wrong) {
    const auto refused = node.prepull(arguments);
    CHECK(refused.status == 2);
    CHECK(test::is_one_line(refused.err));
  }
  for (const auto* cache : {"ftp://x", "http://host/path", "http://u:p@host", "not a host"}) {
    CHECK(paddock({"prepull", name, "--cache", cache}).status == 2);
  }
  CHECK(paddock({"prepull", name}).status == 2);
  CHECK(paddock({"prepull", name, "--cache", "127.0.0.1:1", "--engine", "rkt"}).status == 2);
}

TEST_CASE("an engine or a cache that is away is said, with what to do") {
  Node node;
  const auto no_engine =
      paddock({"prepull", name, "--cache", "127.0.0.1:1", "--engine", "docker", "--socket", "/no.sock"});
  CHECK(no_engine.status == 1);
  CHECK_THAT(no_engine.err, Contains("is docker running?"));
  node.has(name);
  const auto no_cache =
      paddock({"prepull", name, "--cache", "127.0.0.1:1", "--engine", "docker", "--socket", node.docker.path()});
  CHECK(no_cache.status == 1);
  CHECK_THAT(no_cache.err,
             Contains("cannot reach the cache at http://127.0.0.1:1") && Contains("only the cache can say"));
}

}  // namespace
}  // namespace paddock
