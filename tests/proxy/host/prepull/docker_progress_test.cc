#include "proxy/host/prepull/docker_progress.h"

#include <catch2/catch.hpp>

#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
const test::SampleImage image;

struct Pull {
  PullProgress progress = image.progress();
  DockerProgress docker{progress};

  void say(const std::string& status, std::size_t layer, const std::string& detail = "{}") {
    docker.feed(R"({"status":")" + status + R"(","progressDetail":)" + detail + R"(,"id":")" + image.id(layer) +
                "\"}\r\n");
  }
  [[nodiscard]] LayerPhase phase(std::size_t layer) const { return progress.layers()[layer].phase; }
};

TEST_CASE("what Docker says of a layer is where it is") {
  Pull pull;
  pull.say("Pulling fs layer", 0);
  CHECK(pull.phase(0) == LayerPhase::waiting);
  pull.say("Downloading", 0, R"({"current":250,"total":1000})");
  CHECK(pull.phase(0) == LayerPhase::downloading);
  CHECK(pull.progress.downloaded() == 250);
  pull.say("Verifying Checksum", 0);
  CHECK(pull.phase(0) == LayerPhase::downloaded);
  pull.say("Download complete", 0);
  CHECK(pull.progress.downloaded() == 1000);
  pull.say("Extracting", 0, R"({"current":500,"total":1000})");
  CHECK(pull.phase(0) == LayerPhase::unpacking);
  CHECK(pull.progress.layers()[0].done == 500);
  pull.say("Pull complete", 0);
  CHECK(pull.phase(0) == LayerPhase::ready);
  pull.say("Already exists", 1);
  CHECK(pull.progress.ready() == 2);
  CHECK(pull.docker.error().empty());
}

TEST_CASE("an error in the stream is the outcome, however it is written") {
  for (const auto* line : {R"({"errorDetail":{"message":"no space left"},"error":"no space left"})",
                           R"({"error":"no space left"})", R"({"errorDetail":{"message":"no space left"}})"}) {
    Pull pull;
    pull.docker.feed(line);
    CHECK(pull.docker.error().empty());  // not a whole line yet
    pull.docker.finish();
    CHECK(pull.docker.error() == "no space left");
  }
}

TEST_CASE("the first error counts, made harmless") {
  Pull pull;
  pull.docker.feed("{\"error\":\"\\u001b[2Jfirst https://u:p@host/x?sig=1\"}\n{\"error\":\"second\"}\n");
  CHECK_THAT(pull.docker.error(), Contains("first") && !Contains("\x1b") && !Contains("u:p") && !Contains("sig"));
}

TEST_CASE("lines that make no sense are passed over") {
  Pull pull;
  for (const std::string line : {"", "{", "null", "[]", "7", "{\"status\":7,\"id\":[]}", "{\"errorDetail\":7}",
                                 "{\"error\":{}}", "{\"status\":\"Downloading\"}", "\xff\xfe", "{\"id\":null}"}) {
    pull.docker.feed(line + "\n");
  }
  pull.docker.feed("{\"status\":\"" + std::string(200'000, 'x') + "\"}\n");
  pull.docker.feed(std::string(100'000, '[') + "\n");
  pull.say("Downloading", 1, R"({"current":-5,"total":0})");
  pull.say("Downloading", 1, R"({"current":"1","total":null})");
  pull.say("Downloading", 1, "7");
  CHECK(pull.docker.error().empty());
  CHECK(pull.progress.downloaded() == 0);
  pull.say("Pull complete", 1);
  CHECK(pull.phase(1) == LayerPhase::ready);
}

}  // namespace
}  // namespace paddock
