#include "proxy/ingress/upstream_selector.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

using paddock::ErrorCode;
using paddock::glob_match;
using paddock::UpstreamRule;
using paddock::UpstreamSelector;

namespace {

UpstreamSelector selector() {
  return UpstreamSelector({UpstreamRule{"registry.baidubce.com", {"**"}, true},
                           UpstreamRule{"docker.io", {"library/*", "paddlepaddle/**"}, false},
                           UpstreamRule{"local:5100", {"**"}, false}, UpstreamRule{"Quay.io", {}, false}});
}

constexpr auto no_ns = std::nullopt;

}  // namespace

TEST_CASE("globs: a star stays within a part, two cross it") {
  struct Case {
    std::string_view pattern, text;
    bool matches;
  };
  const auto c = GENERATE(values<Case>({{"**", "a", true},
                                        {"**", "a/b/c", true},
                                        {"**", "", true},
                                        {"*", "a", true},
                                        {"*", "a/b", false},
                                        {"paddlepaddle/*", "paddlepaddle/paddle", true},
                                        {"paddlepaddle/*", "paddlepaddle/paddle/x", false},
                                        {"paddlepaddle/*", "paddlepaddle", false},
                                        {"paddlepaddle/**", "paddlepaddle/a/b", true},
                                        {"paddlepaddle/paddle", "paddlepaddle/paddle", true},
                                        {"paddlepaddle/paddle", "paddlepaddle/paddle2", false},
                                        {"paddlepaddle/paddle", "xpaddlepaddle/paddle", false},
                                        {"*/paddle*", "a/paddle-gpu", true},
                                        {"*/paddle*", "a/b/paddle-gpu", false},
                                        {"**/paddle", "a/b/paddle", true},
                                        {"a*b*c", "axxbyyc", true},
                                        {"a*b*c", "axxbyy", false},
                                        {"a**c", "a/b/c", true},
                                        {"***", "a/b", true},
                                        {"", "", true},
                                        {"", "a", false},
                                        {"a.b", "axb", false},
                                        {"a?b", "axb", false}}));
  CAPTURE(c.pattern, c.text);
  CHECK(glob_match(c.pattern, c.text) == c.matches);
}

TEST_CASE("a glob of many stars costs no more than its length times the text's") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  CHECK_FALSE(glob_match(pattern + "b", std::string(255, 'a')));
  CHECK(glob_match(pattern, std::string(255, 'a')));
}

TEST_CASE("ns wins over Host, Host over SNI, SNI over the path, the path over the address, that over the default") {
  struct Case {
    std::optional<std::string_view> ns;
    std::string_view host, server_name, name, upstream, repository, listener = {};
  };
  const auto c = GENERATE(values<Case>({
      {"docker.io", "registry.baidubce.com", "", "library/debian", "docker.io", "library/debian"},
      {"DOCKER.IO", "127.0.0.1:5000", "", "library/debian", "docker.io", "library/debian"},
      {"local:5100", "docker.io", "", "a", "local:5100", "a"},
      {"registry.baidubce.com", "", "", "docker.io/library/debian", "registry.baidubce.com",
       "docker.io/library/debian"},
      {no_ns, "docker.io", "registry.baidubce.com", "library/debian", "docker.io", "library/debian"},
      {no_ns, "docker.io:443", "", "library/debian", "docker.io", "library/debian"},
      {no_ns, "Docker.IO", "", "library/debian", "docker.io", "library/debian"},
      {no_ns, "local:5100", "", "a", "local:5100", "a"},
      {no_ns, "cache.lan", "docker.io", "library/debian", "docker.io", "library/debian"},
      {no_ns, "127.0.0.1:5000", "", "docker.io/library/debian", "docker.io", "library/debian"},
      {no_ns, "docker.io", "", "paddlepaddle/paddle", "docker.io", "paddlepaddle/paddle"},
      {no_ns, "127.0.0.1:5000", "", "local:5100/a/b", "local:5100", "a/b"},
      {no_ns, "127.0.0.1:5000", "", "paddlepaddle/paddle", "registry.baidubce.com", "paddlepaddle/paddle"},
      {no_ns, "", "", "a", "registry.baidubce.com", "a"},
      {"", "", "", "a", "registry.baidubce.com", "a"},
      {no_ns, "local", "", "a", "registry.baidubce.com", "a"},
      {no_ns, "local:9", "", "a", "registry.baidubce.com", "a"},
      {no_ns, "[::1]:5000", "", "a", "registry.baidubce.com", "a"},
      {no_ns, "[::1]", "", "a", "registry.baidubce.com", "a"},
      {no_ns, "cache.lan:5002", "", "debian", "docker.io", "library/debian", "docker.io"},
      {no_ns, "cache.lan:5002", "", "local:5100/a/b", "local:5100", "a/b", "docker.io"},
      {"local:5100", "cache.lan:5002", "", "a", "local:5100", "a", "docker.io"},
      // As with containerd's override_path, which says the same twice.
      {"docker.io", "cache.lan", "", "docker.io/library/debian", "docker.io", "library/debian"},
      {"docker.io", "cache.lan", "", "registry-1.docker.io/debian", "docker.io", "library/debian"},
      {no_ns, "local:5100", "", "local:5100/a", "local:5100", "a"},
  }));
  CAPTURE(c.host, c.server_name, c.name);
  const auto target = selector().select({c.ns, c.host, c.server_name, c.listener}, c.name);
  REQUIRE(target);
  CHECK(target->upstream == c.upstream);
  CHECK(target->repository == c.repository);
}

TEST_CASE("an address that stood for an upstream means no other one when that is gone") {
  CHECK(selector().select({.listener = "gone.example"}, "a").error().context.contains("gone.example"));
}

TEST_CASE("an upstream named twice in a path is said to be so, not asked for") {
  const auto target = selector().select({}, "local:5100/local:5100/a");
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::not_found);
  CHECK(target.error().context.contains("names upstream local:5100 once more"));
  CHECK_FALSE(selector().select({"docker.io"}, "docker.io/docker.io/library/debian"));
}

TEST_CASE("an upstream whose name looks like no host may have repositories that begin with it") {
  const UpstreamSelector plain({UpstreamRule{"harbor", {"**"}, false}});
  CHECK(plain.select({}, "harbor/harbor/app")->repository == "harbor/app");
  CHECK(plain.select({"harbor"}, "harbor/app")->repository == "harbor/app");
}

TEST_CASE("a namespace that is not configured is not found, never dialled, and the known ones are named") {
  const auto* const ns =
      GENERATE("evil.example", "127.0.0.1:22", "registry.baidubce.com:443", "../x", "registry.baidubce.com/");
  CAPTURE(ns);
  const auto target = selector().select({ns, "docker.io", "docker.io"}, "library/debian");
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::not_found);
  CHECK(target.error().context.find("registry.baidubce.com, docker.io, local:5100") != std::string::npos);
}

TEST_CASE("an upstream's name without a repository means the default's repository of that name, or nothing valid") {
  CHECK(selector().select({no_ns, "", ""}, "docker.io")->upstream == "registry.baidubce.com");
  const auto target = selector().select({no_ns, "", ""}, "docker.io/");
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("malformed repositories are refused whichever way they name the upstream") {
  const auto* const name = GENERATE("", "A", "a//b", "../a", "a/..", "a b", "docker.io//a", "docker.io/A");
  CAPTURE(name);
  const auto target = selector().select({no_ns, "", ""}, name);
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::invalid_argument);
  CHECK(target.error().blame == paddock::Blame::client);
}

TEST_CASE("repositories off the allow list are denied") {
  const auto target = selector().select({"docker.io", "", ""}, "evil/miner");
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::denied);
  CHECK(target.error().context.find("'evil/miner'") != std::string::npos);
  CHECK(selector().select({"quay.io", "", ""}, "a").error().code == ErrorCode::denied);  // an empty list allows nothing
}

TEST_CASE("the answer carries the name as it is configured") {
  const UpstreamSelector mixed({UpstreamRule{"Quay.io", {"**"}, false}});
  CHECK(mixed.select({"quay.IO", "", ""}, "a")->upstream == "Quay.io");
}

TEST_CASE("Docker Hub is found under all its names, and its official images without library/") {
  CHECK(selector().select({"registry-1.docker.io", "", ""}, "library/debian")->upstream == "docker.io");
  CHECK(selector().select({no_ns, "index.docker.io", ""}, "library/debian")->upstream == "docker.io");
  CHECK(selector().select({no_ns, "", ""}, "docker.io/debian")->repository == "library/debian");
  CHECK(selector().select({no_ns, "", ""}, "debian")->repository == "debian");
  const UpstreamSelector exact(
      {UpstreamRule{"docker.io", {"**"}, false}, UpstreamRule{"index.docker.io", {"**"}, false}});
  CHECK(exact.select({"index.docker.io", "", ""}, "a")->upstream == "index.docker.io");
}

TEST_CASE("without a default a bare name is not found") {
  const UpstreamSelector none({UpstreamRule{"docker.io", {"**"}, false}});
  const auto target = none.select({no_ns, "127.0.0.1:5000", ""}, "paddlepaddle/paddle");
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::not_found);
  CHECK(target.error().context.find("docker.io") != std::string::npos);
  CHECK(UpstreamSelector({}).select({"a.b", "", ""}, "c").error().context.find("none is configured") !=
        std::string::npos);
}

namespace {

// The definition, spelt out: slow, and obviously right.
bool naive_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.starts_with("**")) {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (naive_match(pattern.substr(2), text.substr(i))) return true;
    }
    return false;
  }
  if (pattern.front() == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (naive_match(pattern.substr(1), text.substr(i))) return true;
      if (i < text.size() && text[i] == '/') return false;
    }
    return false;
  }
  return !text.empty() && text.front() == pattern.front() && naive_match(pattern.substr(1), text.substr(1));
}

}  // namespace

TEST_CASE("globs match what their definition says, for every short pattern and text") {
  std::mt19937 random(20240607);
  static constexpr std::string_view pattern_letters = "a/**b";
  static constexpr std::string_view text_letters = "a/b";
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern, text;
    for (unsigned length = random() % 7; length > 0; --length) pattern += pattern_letters[random() % 5];
    for (unsigned length = random() % 7; length > 0; --length) text += text_letters[random() % 3];
    CAPTURE(pattern, text);
    const bool expected = naive_match(pattern, text);
    CHECK(glob_match(pattern, text) == expected);
    matched += expected ? 1 : 0;
  }
  CHECK(matched > 500);
}

TEST_CASE("a namespace is never mixed up with what the other ways say") {
  // The same repository text means another upstream each way: none may leak into another.
  const std::string name = "docker.io/library/debian";
  CHECK(selector().select({"registry.baidubce.com", "docker.io", "docker.io"}, name)->repository == name);
  CHECK(selector().select({no_ns, "registry.baidubce.com", "docker.io"}, name)->repository == name);
  CHECK(selector().select({no_ns, "", "registry.baidubce.com"}, name)->repository == name);
  CHECK(selector().select({no_ns, "", ""}, name)->repository == "library/debian");
}

TEST_CASE("an error quotes a hostile namespace shortened and harmless") {
  const std::string hostile = "\x1b]0;evil\x07" + std::string(10'000, 'x');
  const auto target = selector().select({hostile, "", ""}, "a");
  REQUIRE_FALSE(target);
  CHECK(target.error().context.size() < 300);
  CHECK(target.error().context.find('\x1b') == std::string::npos);
}
