#include "proxy/warm/grammar/nearest_tags.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "proxy/oci/reference.h"
#include "tests/proxy/warm/grammar/paddle_tags.h"

using paddock::nearest_tags;
using paddock::no_such_tag;
using Tags = std::vector<std::string>;

namespace {

const std::string paddle = "paddlepaddle/paddle";

// What the table of real references has under a repository, whatever the registry.
Tags tags_of(std::string_view repository) {
  Tags tags;
  for (const auto& row : paddle_tags::existing) {
    const auto reference = paddock::parse_image_reference(row.reference).value();
    if (reference.repository == repository) tags.push_back(*reference.tag);
  }
  return tags;
}

}  // namespace

TEST_CASE("the references known to be missing get what a person would take instead") {
  struct Case {
    std::string repository, tag;
    Tags nearest;
  };
  const std::vector<Case> cases{
      {paddle,
       "2.6.0-gpu-cuda11.8-cudnn8",
       {"2.6.0-gpu-cuda11.7-cudnn8.4-trt8.4", "2.6.0-gpu-cuda11.2-cudnn8.2-trt8.0",
        "2.6.1-gpu-cuda11.7-cudnn8.4-trt8.4"}},
      {"device/paddle-cpu", "kylinv10-aarch64-gcc73", {"euleros-aarch64-gcc82"}},
      {"device/paddle-cpu", "ubuntu20-npu-base-aarch64-gcc84", {"euleros-aarch64-gcc82"}},
      {"device/paddle-npu",
       "cann80T2-910A-ubuntu18-aarch64",
       {"cann80T13-ubuntu20-aarch_64-gcc84-py39", "cann80RC1-ubuntu20-aarch64-gcc84-py39"}},
      {"paddlepaddle/paddleocr-genai-vlm-server", "latest-offline", {}},
  };
  REQUIRE(cases.size() == paddle_tags::missing.size());
  for (const Case& c : cases) {
    CAPTURE(c.repository, c.tag);
    Tags nearest = nearest_tags(c.repository, c.tag, tags_of(c.repository));
    nearest.resize(std::min(nearest.size(), c.nearest.size()));
    CHECK(nearest == c.nearest);
  }
}

TEST_CASE("the nearest is the one that a person would take") {
  struct Case {
    std::string wanted, nearest;
  };
  const auto c = GENERATE(values<Case>({
      {"2.2.0-cuda10.2-cudnn8", "2.2.0-cuda10.2-cudnn7"},
      {"2.6.2-gpu-cuda12.1-cudnn8.9-trt8.6", "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"},
      {"2.6.2-gpu-cuda12.0", "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"},
      {"2.6.2-gpu-cuda11.6-cudnn8.4-trt8.4", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4"},
      {"2.6.2-cuda11.7", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4"},
      {"2.6.3-gpu-cuda11.7-cudnn8.4-trt8.4", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4"},
      {"2.6.2-gpu-cdua12.0-cudnn8.9-trt8.6", "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"},
      {"2.6.1", "2.6.2"},  // as near as 2.6.0, and newer
      {"2.6.1-cpu", "2.6.2"},
      {"2.6", "2.6.0"},
      {"2.5.1", "2.5.2"},
      {"2.6.1-jupyter", "2.6.2-jupyter"},
      {"2.3.0rc1", "2.3.0rc0"},
      {"3.0.0b3", "3.0.0b2"},
      {"3.0.0rc1", "3.0.0"},
      {"3.3.1-gpu-cuda11.8-cudnn8.9", "3.3.0-gpu-cuda11.8-cudnn8.9"},  // not 3.3.1 for CUDA 13: drivers are for a major
      {"3.2.0-gpu-cuda13.0-cudnn9.13", "3.2.2-gpu-cuda13.0-cudnn9.13"},
      {"cuda128-dev", "cuda129-dev"},
      {"cuda117-dev", "cuda118-dev"},
      {"latest-dev-cuda11.5-cudnn8.4-trt8.4-gcc82", "latest-dev-cuda11.6-cudnn8.4-trt8.4-gcc82"},
      {"latest-dev-cuda11.7-cudnn8.4-trt8.4-gcc8", "latest-dev-cuda11.7-cudnn8.4-trt8.4-gcc82"},
      {"lastest", "latest"},
      {"lastest-gpu", "latest-gpu"},
  }));
  CAPTURE(c.wanted);
  const Tags nearest = nearest_tags(paddle, c.wanted, tags_of(paddle));
  REQUIRE_FALSE(nearest.empty());
  CHECK(nearest.front() == c.nearest);
}

TEST_CASE("without a grammar the spelling decides, and what is not alike is not proposed") {
  const Tags tags{"bookworm", "bullseye", "bookworm-slim", "trixie"};
  CHECK(nearest_tags("library/debian", "bokworm", tags) == Tags{"bookworm"});
  CHECK(nearest_tags("library/debian", "bookworm-slin", tags) == Tags{"bookworm-slim"});
  CHECK(nearest_tags("library/debian", "main", tags).empty());
  CHECK(
      nearest_tags("ci/paddle", "d41d8cd98f00b204e9800998ecf8427e", Tags{"0cc175b9c0f1b6a831c399e269772661"}).empty());
  CHECK(
      nearest_tags("ci/paddle", "d41d8cd98f00b204e9800998ecf8427f", Tags{"d41d8cd98f00b204e9800998ecf8427e"}).size() ==
      1);
}

TEST_CASE("no more than the number asked for, each once, never the wanted one") {
  const Tags tags{"1.0", "1.1", "1.2", "1.3", "1.1", "2.0"};
  CHECK(nearest_tags("a/b", "1.4", tags) == Tags{"1.3", "1.2", "1.1"});
  CHECK(nearest_tags("a/b", "1.4", tags, 1) == Tags{"1.3"});
  CHECK(nearest_tags("a/b", "1.4", tags, 0).empty());
  CHECK(nearest_tags("a/b", "1.4", tags, 100).size() == 5);
  CHECK(nearest_tags("a/b", "1.3", tags, 1) == Tags{"1.2"});
  CHECK(nearest_tags("a/b", "1.4", {}).empty());
}

TEST_CASE("the answer does not depend on the order of the list") {
  Tags tags = tags_of(paddle);
  const Tags nearest = nearest_tags(paddle, "2.6.0-gpu-cuda11.8-cudnn8", tags, 10);
  std::mt19937 random(2);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(tags.begin(), tags.end(), random);
    CHECK(nearest_tags(paddle, "2.6.0-gpu-cuda11.8-cudnn8", tags, 10) == nearest);
  }
}

TEST_CASE("the sentence names them, or none") {
  CHECK(no_such_tag(paddle, "2.6.0-gpu-cuda11.8-cudnn8", tags_of(paddle)) ==
        "no such tag; nearest: 2.6.0-gpu-cuda11.7-cudnn8.4-trt8.4, 2.6.0-gpu-cuda11.2-cudnn8.2-trt8.0, "
        "2.6.1-gpu-cuda11.7-cudnn8.4-trt8.4");
  CHECK(no_such_tag(paddle, "main", tags_of(paddle)) == "no such tag");
  CHECK(no_such_tag(paddle, "2.6.0", {}) == "no such tag");
}

TEST_CASE("hostile names and long lists are only slow in proportion") {
  CHECK(nearest_tags(paddle, std::string(100'000, 'x'), tags_of(paddle)).empty());
  CHECK(nearest_tags(paddle, "2.6.2", Tags{std::string(100'000, '1')}).empty());
  Tags many;
  for (int i = 0; i < 10'000; ++i) many.push_back("2.6." + std::to_string(i) + "-gpu-cuda11.7-" + std::string(90, 'x'));
  CHECK(nearest_tags(paddle, "2.6.10000-gpu-cuda11.7", many).front().starts_with("2.6.9999-"));
  CHECK(nearest_tags(paddle, std::string(120, 'y'), many).empty());
}
