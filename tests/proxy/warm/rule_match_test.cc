#include "proxy/warm/rule_match.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using Catch::Matchers::Contains;
using paddock::ImagePattern;
using paddock::match_rule;
using paddock::RepositoryTags;
using paddock::RuleSelection;
using paddock::TagFilter;
using Strings = std::vector<std::string>;

namespace {

const std::string baidu = "registry.baidubce.com";
const std::string paddle = baidu + "/paddlepaddle/paddle:";

const std::vector<RepositoryTags> lists{
    {baidu,
     "paddlepaddle/paddle",
     {"2.5.2", "2.5.2-gpu-cuda11.7-cudnn8.4-trt8.4", "2.6.2", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4",
      "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", "3.0.0rc1-gpu-cuda11.8-cudnn8.6-trt8.5", "latest",
      "latest-dev-cuda11.7-cudnn8.4-trt8.4-gcc82", "cuda118-dev"}},
    {baidu, "paddlepaddle/serving", {"0.9.0-runtime", "0.9.0-cuda11.2-cudnn8-devel"}},
    {"docker.io", "paddlepaddle/paddle", {"2.6.2", "3.2.2-gpu-cuda12.6-cudnn9.5"}},
};

RuleSelection rule(const Strings& images, std::string_view where = "", std::size_t latest = 0) {
  RuleSelection selection{"nightly", {}, TagFilter::parse(where).value(), latest};
  for (const std::string& text : images) selection.images.push_back(ImagePattern::parse(text, baidu).value());
  return selection;
}

Strings matched(const RuleSelection& selection) {
  Strings texts;
  for (const auto& image : match_rule(selection, lists).value().images) texts.push_back(image.to_string());
  return texts;
}

}  // namespace

TEST_CASE("a repository means all of its tags, the newest first, those without version last") {
  CHECK(matched(rule({"paddlepaddle/paddle"})) ==
        Strings{paddle + "latest", paddle + "latest-dev-cuda11.7-cudnn8.4-trt8.4-gcc82",
                paddle + "3.0.0rc1-gpu-cuda11.8-cudnn8.6-trt8.5", paddle + "2.6.2",
                paddle + "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4", paddle + "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6",
                paddle + "2.5.2", paddle + "2.5.2-gpu-cuda11.7-cudnn8.4-trt8.4", paddle + "cuda118-dev"});
}

TEST_CASE("globs choose repositories and tags, each image once") {
  CHECK(matched(rule({"paddlepaddle/paddle:2.6*cuda12*"})) == Strings{paddle + "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"});
  CHECK(matched(rule({"paddlepaddle/*:*runtime"})) == Strings{baidu + "/paddlepaddle/serving:0.9.0-runtime"});
  CHECK(matched(rule({"docker.io/paddlepaddle/paddle:2*"})) == Strings{"docker.io/paddlepaddle/paddle:2.6.2"});
  CHECK(matched(rule({"paddlepaddle/paddle:2.6.*", "paddlepaddle/paddle:2*", "paddlepaddle/*:2.6.2*"})).size() == 5);
  CHECK(matched(rule({"device/*"})).empty());
  CHECK(matched(rule({})).empty());
}

TEST_CASE("where narrows what globs match") {
  CHECK(matched(rule({"paddlepaddle/paddle"}, "cuda >= 11.7 and version ~ 2.6 and flavour != dev")) ==
        Strings{paddle + "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4", paddle + "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"});
  CHECK(matched(rule({"paddlepaddle/*"}, "device == cpu and not version == latest")) ==
        Strings{paddle + "2.6.2", paddle + "2.5.2", baidu + "/paddlepaddle/serving:0.9.0-runtime"});
}

TEST_CASE("latest keeps all tags of the newest versions of each repository") {
  CHECK(matched(rule({"paddlepaddle/paddle"}, "", 1)) == Strings{paddle + "3.0.0rc1-gpu-cuda11.8-cudnn8.6-trt8.5"});
  CHECK(matched(rule({"paddlepaddle/paddle"}, "", 2)).size() == 4);
  CHECK(matched(rule({"paddlepaddle/paddle"}, "not has prerelease", 1)) ==
        Strings{paddle + "2.6.2", paddle + "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4",
                paddle + "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"});
  CHECK(matched(rule({"paddlepaddle/paddle"}, "cuda ~ 11.7", 1)) ==
        Strings{paddle + "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4"});
  CHECK(matched(rule({"paddlepaddle/paddle"}, "cuda ~ 11.7", 100)).size() == 2);
  CHECK(matched(rule({"**", "docker.io/**"}, "device == gpu", 1)) ==
        Strings{paddle + "3.0.0rc1-gpu-cuda11.8-cudnn8.6-trt8.5",
                baidu + "/paddlepaddle/serving:0.9.0-cuda11.2-cudnn8-devel",
                "docker.io/paddlepaddle/paddle:3.2.2-gpu-cuda12.6-cudnn9.5"});
}

TEST_CASE("fixed references are taken as they are, first and once") {
  const std::string digest = paddock::Digest::of("x").to_string();
  CHECK(matched(rule({"paddlepaddle/paddle:2.5*", "paddlepaddle/paddle:latest", "a/b:gone", "a/b@" + digest, "a/b:gone",
                      "paddlepaddle/paddle:2.5.2"},
                     "device == gpu", 1)) == Strings{paddle + "latest", baidu + "/a/b:gone", baidu + "/a/b@" + digest,
                                                     paddle + "2.5.2", paddle + "2.5.2-gpu-cuda11.7-cudnn8.4-trt8.4"});
}

TEST_CASE("patterns that no tag fits are named, those that where empties are not") {
  const auto match = match_rule(
      rule({"paddlepaddle/paddle:9*", "paddlepaddle/paddle:2*", "paddlepadle/*", "a/b:gone"}, "device == npu"), lists);
  REQUIRE(match);
  CHECK(match->without_match == Strings{"paddlepaddle/paddle:9*", "paddlepadle/*"});
}

TEST_CASE("a rule that means too many images is refused, with the number and what to do") {
  RuleSelection selection = rule({"paddlepaddle/*", "a/b:c"});
  selection.max_images = 12;
  CHECK(match_rule(selection, lists));
  selection.max_images = 11;
  const auto match = match_rule(selection, lists);
  REQUIRE_FALSE(match);
  CHECK(match.error().code == paddock::ErrorCode::too_large);
  CHECK(match.error().blame == paddock::Blame::client);
  CHECK_THAT(match.error().context, Contains("rule 'nightly' means 12 images, more than 11") &&
                                        Contains("narrow it by images, where or latest") && Contains("limit: 12"));
}

TEST_CASE("ten thousand tags are refused by default, and narrowed are not") {
  std::vector<RepositoryTags> many{{baidu, "a/b", {}}};
  for (int i = 0; i < 10'000; ++i) many[0].tags.push_back("1." + std::to_string(i) + "-gpu-cuda11.7");
  const auto all = match_rule(rule({"a/b"}), many);
  REQUIRE_FALSE(all);
  CHECK_THAT(all.error().context, Contains("means 10000 images, more than 500"));
  const auto newest = match_rule(rule({"a/b"}, "cuda >= 11", 3), many);
  REQUIRE(newest);
  REQUIRE(newest->images.size() == 3);
  CHECK(newest->images[0].tag == "1.9999-gpu-cuda11.7");
  CHECK(newest->images[2].tag == "1.9997-gpu-cuda11.7");
}
