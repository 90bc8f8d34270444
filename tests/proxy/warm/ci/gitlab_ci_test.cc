#include "proxy/warm/ci/gitlab_ci.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines lines(const std::string& text) { return scan_lines("a.gitlab-ci.yml", text); }

}  // namespace

TEST_CASE("a job's image and services are found, written either way") {
  CHECK(
      lines(
          "a:\n  image: alpine:1\n  services:\n    - redis:7\n    - name: mysql:8\n      alias: db\n  script: [x]\n") ==
      Lines{"2 docker.io/library/alpine:1", "4 docker.io/library/redis:7", "5 docker.io/library/mysql:8"});
  CHECK(lines("a:\n  image:\n    name: alpine:1\n    entrypoint: ['']\n  script: [x]\n") ==
        Lines{"3 docker.io/library/alpine:1"});
  CHECK(lines("a:\n  image: ''\n  script: [x]\n").empty());
}

TEST_CASE("jobs take the default's image unless they say otherwise") {
  const std::string top = "variables: {T: '1'}\ndefault:\n  image: alpine:$T\n";
  CHECK(lines(top + "a:\n  script: [x]\nb:\n  variables: {T: '2'}\n  script: [x]\n") ==
        Lines{"3 docker.io/library/alpine:1", "3 docker.io/library/alpine:2"});
  CHECK(lines(top + "b:\n  inherit: {default: false}\n  variables: {T: '2'}\n  script: [x]\n") ==
        Lines{"3 docker.io/library/alpine:1"});
  CHECK(lines(top + "b:\n  inherit: {default: [image]}\n  variables: {T: '2'}\n  script: [x]\n") ==
        Lines{"3 docker.io/library/alpine:2"});
  CHECK(lines(top + "b:\n  inherit: {default: [services], variables: false}\n  image: busybox:$T\n  script: [x]\n") ==
        Lines{"3 docker.io/library/alpine:1", "6 ? unset-variable"});
}

TEST_CASE("where tells the job") {
  const auto report = scan_text("a.gitlab-ci.yml", "build gpu:\n  image: alpine:1\n  script: [x]\n");
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().place.where == "job build gpu");
  CHECK(report.findings.front().place.format == Format::gitlab_ci);
  CHECK(report.findings.front().written == "alpine:1");
}

TEST_CASE("a hidden job counts through those that extend it, or by itself") {
  const std::string hidden = ".h:\n  image: alpine:$T\n";
  CHECK(lines(hidden + "a:\n  extends: .h\n  variables: {T: '1'}\n  script: [x]\n") ==
        Lines{"2 docker.io/library/alpine:1"});
  CHECK(lines(hidden + "a:\n  script: [x]\n") == Lines{"2 ? unset-variable"});
  CHECK(lines(hidden + "a:\n  extends: .h\n  image: busybox:1\n  script: [x]\n") ==
        Lines{"2 ? unset-variable", "5 docker.io/library/busybox:1"});
}

TEST_CASE("the last of several parents counts, and deeper ones after it") {
  CHECK(lines(".a:\n  image: alpine:a\n.b:\n  image: alpine:b\nj:\n  extends: [.a, .b]\n  script: [x]\n") ==
        Lines{"2 docker.io/library/alpine:a", "4 docker.io/library/alpine:b"});
  const auto report = scan_text("a.gitlab-ci.yml",
                                ".a:\n  image: alpine:a\n.b:\n  extends: .a\n  image: alpine:b\n"
                                "j:\n  extends: .b\n  script: [x]\n");
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].place.where == "job .a");
  CHECK(report.findings[1].place.where == "job j");
  CHECK(has_problem(scan_text("a.gitlab-ci.yml", "j:\n  extends: .none\n  script: [x]\n"), "which is not there"));
}

TEST_CASE("references are followed, in lists too") {
  CHECK(lines(".s:\n  image: alpine:1\n  services: [redis:7]\n  script: [docker pull busybox:1]\nj:\n"
              "  image: !reference [.s, image]\n  services: [!reference [.s, services], mysql:8]\n"
              "  script: [!reference [.s, script]]\n") ==
        Lines{"2 docker.io/library/alpine:1", "3 docker.io/library/redis:7", "4 docker.io/library/busybox:1",
              "7 docker.io/library/mysql:8"});
  CHECK(has_problem(scan_text("a.gitlab-ci.yml", "j:\n  image: !reference [.none, image]\n  script: [x]\n"),
                    "!reference to what is not there"));
}

TEST_CASE("scripts share variables with the job and among themselves") {
  CHECK(
      lines("variables: {T: '3'}\nj:\n  before_script:\n    - export I=alpine\n  script:\n    - docker pull $I:$T\n") ==
      Lines{"6 docker.io/library/alpine:3"});
  CHECK(lines("j:\n  script: |\n    docker pull alpine:1\n    docker pull alpine:2\n") ==
        Lines{"3 docker.io/library/alpine:1", "4 docker.io/library/alpine:2"});
}

TEST_CASE("what GitLab sets is not taken for forgotten") {
  CHECK(lines("j:\n  image: $CI_REGISTRY_IMAGE:x\n  script: [x]\n") == Lines{"2 ? run-time"});
  CHECK(lines("j:\n  image: $MY_OWN\n  script: [x]\n") == Lines{"2 ? unset-variable"});
}

TEST_CASE("a rule that never runs sets nothing") {
  CHECK(
      lines("j:\n  image: alpine:$T\n  variables: {T: '1'}\n  script: [x]\n  rules:\n    - if: $A\n      when: never\n"
            "      variables: {T: '2'}\n    - if: $B\n      variables: {T: '3'}\n    - when: always\n") ==
      Lines{"2 docker.io/library/alpine:1", "2 docker.io/library/alpine:3"});
  CHECK(lines("workflow:\n  rules:\n    - variables: {T: '4'}\nj:\n  image: alpine:$T\n  script: [x]\n") ==
        Lines{"5 docker.io/library/alpine:4"});
}

TEST_CASE("an image's mapping without a name has the one of what the job extends") {
  CHECK(lines(".h:\n  image: {name: 'alpine:$T'}\nj:\n  extends: .h\n  image: {entrypoint: ['']}\n  variables: {T: 1}\n"
              "  script: [x]\n") == Lines{"2 docker.io/library/alpine:1"});
}

TEST_CASE("a job that starts another pipeline runs in no image") {
  const auto report =
      scan_text("a.gitlab-ci.yml", "default:\n  image: alpine:1\nj:\n  trigger: {include: child.yml}\n");
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings.front().place.where == "default");
}

}  // namespace paddock::ci::test
