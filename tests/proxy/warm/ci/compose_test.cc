#include "proxy/warm/ci/compose.h"

#include <catch2/catch.hpp>
#include <string>

#include "proxy/warm/ci/env_file.h"
#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {

TEST_CASE("an .env file is read as compose reads it") {
  const auto values =
      read_env_file("# c\nA=1\n export B = two # c\nC='$A'\nD=\"$A-${B}\"\nE=\nno line\nF=${NO:-d}\nG=a#b\n");
  const auto text = [&](const char* name) { return values.at(name).front().text; };
  CHECK(text("A") == "1");
  CHECK(text("B") == "two");
  CHECK(text("C") == "$A");
  CHECK(text("D") == "1-two");
  CHECK(text("E").empty());
  CHECK(text("F") == "d");
  CHECK(text("G") == "a#b");
  CHECK(values.size() == 7);
}

TEST_CASE("images are filled in from .env and defaults, never from elsewhere") {
  const Folder folder(
      {{"compose.yml", "services:\n  a: {image: 'x:$T'}\n  b: {image: 'y:${U:-3}'}\n  c: {image: 'z:$HOME'}\n"},
       {".env", "T=2\n"}});
  CHECK(folder.lines() == Lines{"compose.yml:2 docker.io/library/x:2", "compose.yml:3 docker.io/library/y:3",
                                "compose.yml:4 ? unset-variable"});
}

TEST_CASE("what a service builds is not pulled, but what its Dockerfile names is") {
  const Folder folder(
      {{"compose.yml", "services:\n  a:\n    image: mine:1\n    build: {context: sub, args: {T: '2'}}\n"},
       {"sub/Dockerfile", "ARG T\nFROM alpine:$T\n"}});
  CHECK(folder.lines() == Lines{"compose.yml:3 ? built-here", "sub/Dockerfile:2 docker.io/library/alpine:2"});
  const Folder remote(
      {{"compose.yml", "services:\n  a: {build: 'https://example.com/x.git'}\n  b: {build: ./none}\n"}});
  CHECK(remote.lines().empty());
  CHECK(remote.scan().problems.empty());
}

TEST_CASE("a Dockerfile counts with its own defaults too") {
  const Folder folder({{"compose.yml", "services:\n  a: {build: {context: ., args: ['T=2']}}\n"},
                       {"Dockerfile", "ARG T=1\nFROM alpine:$T\n"}});
  CHECK(folder.lines() == Lines{"Dockerfile:2 docker.io/library/alpine:1", "Dockerfile:2 docker.io/library/alpine:2"});
}

TEST_CASE("images given as contexts") {
  CHECK(scan_lines("compose.yml",
                   "services:\n  a:\n    build:\n      context: /none\n      additional_contexts:\n"
                   "        base: docker-image://alpine:1\n        src: ./x\n") ==
        Lines{"6 docker.io/library/alpine:1"});
}

}  // namespace paddock::ci::test
