#include "proxy/oci/reference.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

using paddock::Blame;
using paddock::Digest;
using paddock::ErrorCode;
using paddock::ImageReference;
using paddock::is_registry_host;
using paddock::is_repository;
using paddock::is_tag;
using paddock::parse_image_reference;
using paddock::parse_tag_or_digest;

namespace {

const std::string digest_text = Digest::of("x").to_string();

}  // namespace

TEST_CASE("repository names of the grammar are accepted") {
  const auto* const text = GENERATE("a", "0", "paddle", "paddlepaddle/paddle", "a/b/c/d/e", "a.b", "a_b", "a__b", "a-b",
                                    "a---b", "a.b_c__d-e", "paddlepaddle/paddle-gpu.cuda11_8", "manifests/blobs/tags");
  CAPTURE(text);
  CHECK(is_repository(text));
}

TEST_CASE("repository names outside the grammar are refused") {
  const auto* const text = GENERATE("", "/", "a/", "/a", "a//b", "A", "paddle/Paddle", ".a", "a.", "a..b", "-a", "a-",
                                    "_a", "a_", "a___b", "a._b", "a-.b", "a b", "a:b", "a@b", "..", "../etc/passwd",
                                    "a/../b", "a/./b", "a\\b", "a%2fb", "a\n", "a+b", "\xc3\xa4", "a?b");
  CAPTURE(text);
  CHECK_FALSE(is_repository(text));
}

TEST_CASE("a repository name may have 255 bytes and no more, and no NUL") {
  CHECK(is_repository(std::string(255, 'a')));
  CHECK_FALSE(is_repository(std::string(256, 'a')));
  CHECK_FALSE(is_repository(std::string("a\0b", 3)));
}

TEST_CASE("tags follow the grammar") {
  CHECK(is_tag("latest"));
  CHECK(is_tag("2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4"));
  CHECK(is_tag("_"));
  CHECK(is_tag("V1"));
  CHECK(is_tag("a..b"));
  CHECK(is_tag(std::string(128, 'x')));
  CHECK_FALSE(is_tag(std::string(129, 'x')));
  const auto* const bad = GENERATE("", ".", ".a", "-a", "a/b", "a:b", "a b", "a@b", "a%41", "\xc3\xa4", "a\r\nb", "+");
  CAPTURE(bad);
  CHECK_FALSE(is_tag(bad));
}

TEST_CASE("registry hosts as clients write them are accepted") {
  const auto* const text =
      GENERATE("localhost", "localhost:5000", "registry.baidubce.com", "127.0.0.1", "127.0.0.1:5000", "cache:5000",
               "a-b.c", "[::1]:5000", "[2001:db8::1]", "docker.io", "x.y:65535");
  CAPTURE(text);
  CHECK(is_registry_host(text));
}

TEST_CASE("what is no registry host is refused") {
  const auto* const text = GENERATE("", "cache", "Registry.com", "a.b:", "a.b:0", "a.b:65536", "a.b:x", ":5000", ".a",
                                    "a.", "a..b", "-a.b", "a-.b", "a_b.c", "a.b/c", "a.b@c", "[::1", "::1]", "[]:5",
                                    "[zz::1]", "a.b:5000:6000", "a.b:+1", "a.b:000001");
  CAPTURE(text);
  CHECK_FALSE(is_registry_host(text));
}

TEST_CASE("a host name has at most 63 bytes in a label and 253 in all") {
  CHECK(is_registry_host(std::string(63, 'a') + ".com"));
  CHECK_FALSE(is_registry_host(std::string(64, 'a') + ".com"));
  std::string name = "a";
  while (name.size() < 253) name += ".a";
  REQUIRE(name.size() == 253);
  CHECK(is_registry_host(name));
  CHECK_FALSE(is_registry_host(name + "a"));
}

TEST_CASE("what follows /manifests/ is a tag or a digest") {
  const auto tag = parse_tag_or_digest("2.6.2");
  REQUIRE(tag);
  CHECK(tag->text == "2.6.2");
  CHECK_FALSE(tag->digest);
  const auto digest = parse_tag_or_digest(digest_text);
  REQUIRE(digest);
  CHECK(digest->digest == Digest::of("x"));
  CHECK(digest->text == digest_text);
}

TEST_CASE("a malformed tag or digest is the client's fault and says which of them it is") {
  struct Case {
    std::string text, word;
  };
  const auto c = GENERATE(values<Case>({{"", "tag"},
                                        {".x", "tag"},
                                        {"a/b", "tag"},
                                        {"sha256:abc", "digest"},
                                        {"md5:d41d8cd98f00b204e9800998ecf8427e", "digest"},
                                        {"sha256:" + std::string(64, 'A'), "digest"},
                                        {":", "digest"}}));
  CAPTURE(c.text);
  const auto result = parse_tag_or_digest(c.text);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::invalid_argument);
  CHECK(result.error().blame == Blame::client);
  CHECK(result.error().context.find("invalid " + c.word) == 0);
}

TEST_CASE("an error quotes hostile text shortened and without control characters") {
  const auto result = parse_tag_or_digest("\x1b[31m" + std::string(5000, 'x') + "\r\n");
  REQUIRE_FALSE(result);
  CHECK(result.error().context.size() < 300);
  CHECK(result.error().context.find('\x1b') == std::string::npos);
}

TEST_CASE("image references are taken apart as Docker clients do") {
  struct Case {
    std::string text, registry, repository, tag;
    bool digest;
  };
  const auto c = GENERATE(values<Case>({
      {"paddle", "", "paddle", "", false},
      {"paddle:2.6", "", "paddle", "2.6", false},
      {"paddlepaddle/paddle:2.6.2", "", "paddlepaddle/paddle", "2.6.2", false},
      {"registry.baidubce.com/paddlepaddle/paddle:2.6.2", "registry.baidubce.com", "paddlepaddle/paddle", "2.6.2",
       false},
      {"localhost/a", "localhost", "a", "", false},
      {"localhost:5000", "", "localhost", "5000", false},
      {"localhost:5000/a:b", "localhost:5000", "a", "b", false},
      {"127.0.0.1:5000/docker.io/library/debian", "127.0.0.1:5000", "docker.io/library/debian", "", false},
      {"[::1]:5000/a", "[::1]:5000", "a", "", false},
      {"a@" + digest_text, "", "a", "", true},
      {"cache.lan/a/b:c@" + digest_text, "cache.lan", "a/b", "c", true},
      {"Registry.Baidubce.com/a", "registry.baidubce.com", "a", "", false},
  }));
  CAPTURE(c.text);
  const auto reference = parse_image_reference(c.text);
  REQUIRE(reference);
  CHECK(reference->registry.value_or("") == c.registry);
  CHECK(reference->repository == c.repository);
  CHECK(reference->tag.value_or("") == c.tag);
  CHECK(reference->digest.has_value() == c.digest);
}

TEST_CASE("an image reference is written as it was read") {
  const auto text = GENERATE_REF(
      values<std::string>({"a", "a:b", "x.y/a:b", "x.y:5000/a/b", "a@" + digest_text, "x.y/a:b@" + digest_text}));
  CAPTURE(text);
  const auto reference = parse_image_reference(text);
  REQUIRE(reference);
  CHECK(reference->to_string() == text);
}

TEST_CASE("a malformed image reference names the part that is wrong") {
  struct Case {
    std::string text, part;
  };
  const auto c = GENERATE(values<Case>({{"", "image reference"},
                                        {std::string(2000, 'a'), "image reference"},
                                        {"https://registry.baidubce.com/a", "scheme"},
                                        {"a:", "tag"},
                                        {"a:b:c", "repository"},
                                        {"a:-b", "tag"},
                                        {"a@sha256:00", "digest"},
                                        {"a@", "digest"},
                                        {"a@b@" + digest_text, "digest"},
                                        {"@" + digest_text, "repository"},
                                        {"x.y:0/a", "registry"},
                                        {"x..y/a", "registry"},
                                        {"x.y/", "repository"},
                                        {"x.y/A", "repository"},
                                        {"a b", "repository"},
                                        {" a", "repository"},
                                        {"A", "repository"}}));
  CAPTURE(c.text);
  const auto reference = parse_image_reference(c.text);
  REQUIRE_FALSE(reference);
  CHECK(reference.error().code == ErrorCode::invalid_argument);
  CHECK(reference.error().blame == Blame::client);
  CHECK(reference.error().context.find(c.part) != std::string::npos);
}

TEST_CASE("no text becomes a reference that is not valid itself, and what is one survives being written") {
  std::mt19937 random(20240607);
  static constexpr std::string_view letters = "ab.:/@_-A0[]x";
  int accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (unsigned length = 1 + random() % 10; length > 0; --length) text += letters[random() % letters.size()];
    if (random() % 20 == 0) text += "@" + digest_text;
    const auto reference = parse_image_reference(text);
    if (!reference) continue;
    ++accepted;
    CAPTURE(text);
    CHECK(is_repository(reference->repository));
    CHECK((!reference->tag || is_tag(*reference->tag)));
    CHECK((!reference->registry || is_registry_host(*reference->registry)));
    const auto again = parse_image_reference(reference->to_string());
    REQUIRE(again);
    CHECK(again->to_string() == reference->to_string());
    CHECK(again->repository == reference->repository);
  }
  CHECK(accepted > 1000);
}

TEST_CASE("a registry is only told from a repository by its look, never by a list") {
  CHECK_FALSE(parse_image_reference("registry/paddle")->registry);
  CHECK(parse_image_reference("registry/paddle")->repository == "registry/paddle");
  CHECK(parse_image_reference("registry:443/paddle")->registry == "registry:443");
  CHECK(parse_image_reference("re.gistry/paddle")->registry == "re.gistry");
}

TEST_CASE("a reference with tag and digest keeps both") {
  const auto reference = parse_image_reference("docker.io/library/debian:12@" + digest_text);
  REQUIRE(reference);
  CHECK(reference->tag == "12");
  CHECK(reference->digest == Digest::of("x"));
  const std::string sha512 = Digest::of("x", Digest::Algorithm::sha512).to_string();
  CHECK(parse_image_reference("a@" + sha512)->digest->to_string() == sha512);
}
