#include "proxy/host/prepull/names.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

std::string original(const std::string& text) { return parse_original_name(text).value().to_string(); }

std::string at(const std::string& cache, const std::string& text) {
  return repository_at(Url::parse(cache).value(), parse_original_name(text).value()).value();
}

const std::string digest = Digest::of("").to_string();

TEST_CASE("a name means what container engines mean by it") {
  CHECK(original("debian") == "docker.io/library/debian:latest");
  CHECK(original("debian:12") == "docker.io/library/debian:12");
  CHECK(original("paddlepaddle/paddle:2.6.2") == "docker.io/paddlepaddle/paddle:2.6.2");
  CHECK(original("docker.io/debian:12") == "docker.io/library/debian:12");
  CHECK(original("index.docker.io/a/b:1") == "docker.io/a/b:1");
  CHECK(original("registry.baidubce.com/paddlepaddle/paddle") == "registry.baidubce.com/paddlepaddle/paddle:latest");
  CHECK(original("registry.baidubce.com/a/b@" + digest) == "registry.baidubce.com/a/b@" + digest);
  CHECK(original("localhost:5000/b:1") == "localhost:5000/b:1");
  CHECK(parse_original_name("UPPER case").error().code == ErrorCode::invalid_argument);
}

TEST_CASE("at the cache the path's first component names the upstream") {
  CHECK(at("http://cache.lan:5000", "registry.baidubce.com/paddlepaddle/paddle:1") ==
        "cache.lan:5000/registry.baidubce.com/paddlepaddle/paddle");
  CHECK(at("http://127.0.0.1:5000", "debian:12") == "127.0.0.1:5000/docker.io/library/debian");
  CHECK(at("http://[::1]:5000", "debian:12") == "[::1]:5000/docker.io/library/debian");
}

TEST_CASE("the cache's address has a port, or engines take it for a folder of Docker Hub") {
  CHECK(at("https://cache", "debian") == "cache:443/docker.io/library/debian");
  CHECK(at("http://cache", "debian") == "cache:80/docker.io/library/debian");
}

TEST_CASE("an image that is named by the cache's own address stays so") {
  CHECK(at("http://cache.lan:5000", "cache.lan:5000/paddlepaddle/paddle:1") == "cache.lan:5000/paddlepaddle/paddle");
}

TEST_CASE("an upstream with a port cannot stand in a path") {
  const auto refused =
      repository_at(Url::parse("http://cache.lan:5000").value(), parse_original_name("registry.lan:5100/a:1").value());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
}

}  // namespace
}  // namespace paddock
