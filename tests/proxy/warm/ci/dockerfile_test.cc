#include "proxy/warm/ci/dockerfile.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines lines(const std::string& text) { return scan_lines("Dockerfile", text); }

}  // namespace

TEST_CASE("FROM names an image, a stage or nothing") {
  CHECK(lines("FROM alpine:1\n") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("from alpine:1 as A\nFROM a\nFROM scratch\n") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("FROM --platform=linux/arm64 alpine:1\n") == Lines{"1 docker.io/library/alpine:1"});
  CHECK(lines("FROM b\nFROM x AS b\n") == Lines{"1 docker.io/library/b:latest", "2 docker.io/library/x:latest"});
  CHECK(lines("RUN FROM alpine\n").empty());
  CHECK(lines("FROM\n").empty());
}

TEST_CASE("arguments have their defaults, of before the first FROM only") {
  CHECK(lines("ARG A=alpine T=1\nFROM $A:${T}\n") == Lines{"2 docker.io/library/alpine:1"});
  CHECK(lines("ARG A=\"alpine:1\"\nARG B=$A\nFROM ${B}\n") == Lines{"3 docker.io/library/alpine:1"});
  CHECK(lines("FROM a:1\nARG T=2\nFROM b:$T\n") == Lines{"1 docker.io/library/a:1", "3 ? unset-variable"});
  CHECK(lines("ARG T\nFROM a:${T:-9}\n") == Lines{"2 docker.io/library/a:9"});
  CHECK(lines("FROM a:$TARGETARCH\n") == Lines{"1 ? run-time"});
}

TEST_CASE("other instructions pull too") {
  CHECK(lines("FROM a:1\nCOPY --chown=1 --from=b:2 x y\n") ==
        Lines{"1 docker.io/library/a:1", "2 docker.io/library/b:2"});
  CHECK(lines("FROM a:1 AS s\nCOPY --from=s x y\nCOPY --from=0 x y\nCOPY x --from=no\n") ==
        Lines{"1 docker.io/library/a:1"});
  CHECK(lines("FROM a:1\nRUN --mount=type=bind,from=b:2,target=/x --mount=from=c:3 ls\n") ==
        Lines{"1 docker.io/library/a:1", "2 docker.io/library/b:2", "2 docker.io/library/c:3"});
  CHECK(lines("#syntax = docker/dockerfile:1\nFROM a:1\n") ==
        Lines{"1 docker.io/docker/dockerfile:1", "2 docker.io/library/a:1"});
  CHECK(lines("# just text\n# syntax=docker/dockerfile:1\nFROM a:1\n") == Lines{"3 docker.io/library/a:1"});
}

TEST_CASE("lines are joined, comments and here-documents left out") {
  CHECK(lines("FROM \\\n  # why\n\n  a:1\nRUN x \\\nFROM b:1\n") == Lines{"1 docker.io/library/a:1"});
  CHECK(lines("FROM a:1\nRUN <<A cat <<'B'\nFROM b\nA\nFROM c\nB\nFROM d:4\n").size() == 2);
  CHECK(lines("# escape=`\nFROM a:1\nRUN x `\nFROM b:1\nRUN y \\\nFROM c:1\n") ==
        Lines{"2 docker.io/library/a:1", "6 docker.io/library/c:1"});
}

TEST_CASE("where tells the stage") {
  const auto report = scan_text("Dockerfile", "FROM a:1 AS Build\nFROM b:2\n");
  CHECK(report.findings[0].place.where == "stage build");
  CHECK(report.findings[1].place.where == "stage 1");
}

}  // namespace paddock::ci::test
