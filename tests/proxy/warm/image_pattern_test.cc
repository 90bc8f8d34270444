#include "proxy/warm/image_pattern.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using Catch::Matchers::Contains;
using paddock::Digest;
using paddock::ImagePattern;

namespace {

const std::string baidu = "registry.baidubce.com";
const std::string digest = Digest::of("x").to_string();

ImagePattern pattern(std::string_view text) {
  auto parsed = ImagePattern::parse(text, baidu);
  INFO(text << (parsed ? "" : ": " + parsed.error().context));
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("a pattern is taken apart as a reference, stars where they are") {
  struct Case {
    std::string text, registry, repository, tag;
    bool fixed, one_repository;
  };
  const auto c = GENERATE(values<Case>({
      {"registry.baidubce.com/paddlepaddle/paddle", baidu, "paddlepaddle/paddle", "*", false, true},
      {"registry.baidubce.com/paddlepaddle/paddle:2.6*", baidu, "paddlepaddle/paddle", "2.6*", false, true},
      {"registry.baidubce.com/paddlepaddle/paddle:2.6.2", baidu, "paddlepaddle/paddle", "2.6.2", true, true},
      {"paddlepaddle/paddle:*-gpu-*", baidu, "paddlepaddle/paddle", "*-gpu-*", false, true},
      {"paddlepaddle/*:latest", baidu, "paddlepaddle/*", "latest", false, false},
      {"docker.io/**", "docker.io", "**", "*", false, false},
      {"localhost:5000/a/*", "localhost:5000", "a/*", "*", false, false},
      {"Registry.Baidubce.com/a:*", baidu, "a", "*", false, true},
      {"*/paddle:1", baidu, "*/paddle", "1", false, false},
      {"docker.io/debian:12", "docker.io", "library/debian", "12", true, true},
      {"docker.io/paddlepaddle/paddle:3*", "docker.io", "paddlepaddle/paddle", "3*", false, true},
      {"a/b@" + digest, baidu, "a/b", "", true, true},
      {"a/b:c@" + digest, baidu, "a/b", "c", true, true},
  }));
  CAPTURE(c.text);
  const ImagePattern parsed = pattern(c.text);
  CHECK(parsed.text == c.text);
  CHECK(parsed.registry == c.registry);
  CHECK(parsed.repository == c.repository);
  CHECK(parsed.tag == c.tag);
  CHECK(parsed.is_fixed() == c.fixed);
  CHECK(parsed.names_one_repository() == c.one_repository);
}

TEST_CASE("one star stays within a part of the repository, two do not") {
  CHECK(pattern("paddlepaddle/*").matches_repository(baidu, "paddlepaddle/paddle"));
  CHECK_FALSE(pattern("paddlepaddle/*").matches_repository(baidu, "paddlepaddle/a/b"));
  CHECK(pattern("paddlepaddle/**").matches_repository(baidu, "paddlepaddle/a/b"));
  CHECK_FALSE(pattern("paddlepaddle/*").matches_repository("docker.io", "paddlepaddle/paddle"));
  CHECK_FALSE(pattern("paddlepaddle/paddle").matches_repository(baidu, "paddlepaddle/paddlex"));
  CHECK(pattern("paddlepaddle/paddle*").matches_repository(baidu, "paddlepaddle/paddlex"));
}

TEST_CASE("tags are matched whole") {
  CHECK(pattern("a/b").matches_tag("anything"));
  CHECK(pattern("a/b:2.6*").matches_tag("2.6.2-gpu"));
  CHECK(pattern("a/b:2.6*").matches_tag("2.6"));
  CHECK_FALSE(pattern("a/b:2.6*").matches_tag("12.6"));
  CHECK_FALSE(pattern("a/b:2.6").matches_tag("2.6.2"));
  CHECK_FALSE(pattern("a/b:*gpu").matches_tag("gpu-2"));
}

TEST_CASE("a fixed pattern is a reference") {
  CHECK(pattern("a/b:c").reference().to_string() == baidu + "/a/b:c");
  CHECK(pattern("a/b:c@" + digest).reference().to_string() == baidu + "/a/b:c@" + digest);
  CHECK(pattern("docker.io/a/b@" + digest).reference().to_string() == "docker.io/a/b@" + digest);
}

TEST_CASE("what is wrong with a pattern is said") {
  struct Case {
    std::string text, error;
  };
  const auto c = GENERATE(values<Case>({{"", "it is empty"},
                                        {"a/b:2.?", "of wildcards only '*' and '**' are known"},
                                        {"a/b:[23]*", "of wildcards only"},
                                        {"a/{b,c}", "of wildcards only"},
                                        {"*.baidubce.com/a/b", "a registry is named in full, without '*'"},
                                        {"localhost:*/a", "registry"},
                                        {"a/b*@" + digest, "with a digest it names one image"},
                                        {"a/b:*@" + digest, "with a digest it names one image"},
                                        {"a/b@sha256:*", "digest"},
                                        {"https://registry.baidubce.com/a/*", "without a scheme"},
                                        {"a/B", "repository"},
                                        {"a/b:", "tag"},
                                        {"a//b", "repository"},
                                        {"a/b:c d", "tag"},
                                        {"a/../b", "repository"},
                                        {std::string(2000, '*'), "longer than 1024 bytes"}}));
  CAPTURE(c.text);
  const auto parsed = ImagePattern::parse(c.text, baidu);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == paddock::ErrorCode::invalid_argument);
  CHECK_THAT(parsed.error().context, Contains("invalid image pattern") && Contains(c.error));
  CHECK(parsed.error().context.size() < 500);
}

TEST_CASE("whatever parses has the parts of its text, and one without stars is the reference that it names") {
  std::mt19937 random(31);
  static constexpr std::string_view letters = "ab*.:/@-_0A*";
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (unsigned length = 1 + random() % 10; length > 0; --length) text += letters[random() % letters.size()];
    const auto parsed = ImagePattern::parse(text, baidu);
    if (!parsed) continue;
    ++accepted;
    if (text.find(parsed->repository) == std::string::npos) FAIL(text);
    if (parsed->tag != "*" && text.find(":" + parsed->tag) == std::string::npos) FAIL(text);
    if (parsed->registry.find('*') != std::string::npos) FAIL(text);
    if (!parsed->is_fixed()) continue;
    const auto reference = paddock::parse_image_reference(text);
    if (!reference || reference->repository != parsed->repository || reference->tag != parsed->tag) FAIL(text);
  }
  CHECK(accepted > 1'000);
}
