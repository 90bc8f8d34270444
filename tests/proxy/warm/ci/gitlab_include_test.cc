#include "proxy/warm/ci/gitlab_include.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

const std::string job = "j:\n  image: alpine:$T\n  script: [x]\n";

}  // namespace

TEST_CASE("local files are included, by every way of writing it") {
  for (const auto* include :
       {"include: /ci/a.yml\n", "include: [ci/a.yml]\n", "include: {local: ci/a.yml}\n",
        "include:\n  - local: '/ci/*.yml'\n", "include: [{local: '**/a.yml'}]\n", "include: {local: 'ci/**.yml'}\n"}) {
    INFO(include);
    const Folder folder({{".gitlab-ci.yml", std::string(include) + "variables: {T: '1'}\n"}, {"ci/a.yml", job}});
    CHECK(folder.lines() == Lines{"ci/a.yml:2 docker.io/library/alpine:1"});
    CHECK(folder.scan().problems.empty());
  }
}

TEST_CASE("the including file wins over what it includes") {
  const Folder folder({{".gitlab-ci.yml", "include: a.yml\nj:\n  image: busybox:1\nvariables: {T: '2'}\n"},
                       {"a.yml", "variables: {T: '1'}\nk:\n  image: alpine:$T\n  script: [x]\n" + job}});
  CHECK(folder.lines() == Lines{".gitlab-ci.yml:3 docker.io/library/busybox:1", "a.yml:3 docker.io/library/alpine:2"});
}

TEST_CASE("files of elsewhere and missing ones are told, with what to do") {
  const auto told = [](const std::string& include, const std::string& message) {
    const Folder folder({{".gitlab-ci.yml", "include:\n  - " + include + "\n" + job}});
    const auto report = folder.scan();
    INFO(include);
    CHECK(has_problem(report, message));
    CHECK(report.problems.front().line == 2);
    CHECK(folder.lines() == Lines{".gitlab-ci.yml:4 ? unset-variable"});
  };
  told("remote: https://example.com/a.yml", "scan a copy of that file too");
  told("https://example.com/a.yml", "scan a copy of that file too");
  told("{project: group/p, file: /a.yml}", "project 'group/p'");
  told("template: Jobs/Build.gitlab-ci.yml", "template");
  told("component: example.com/g/c@1", "component");
  told("local: absent.yml", "correct the path");
  told("local: ../../etc/passwd", "correct the path");
  told("local: $DIR/a.yml", "known when the pipeline runs");
}

TEST_CASE("inputs come from the including file, then from their defaults") {
  const std::string part =
      "spec:\n  inputs:\n    t: {default: '1'}\n    u:\n---\nj:\n  image: alpine:$[[ inputs.t ]]\n"
      "  services: ['redis:$[[ inputs.u ]]']\n  script: [x]\n";
  const Folder given({{".gitlab-ci.yml", "include: [{local: a.yml, inputs: {t: '2', u: '7'}}]\n"}, {"a.yml", part}});
  CHECK(given.lines() == Lines{"a.yml:7 docker.io/library/alpine:2", "a.yml:8 docker.io/library/redis:7"});
  CHECK(scan_lines("a.yml", part) == Lines{"7 docker.io/library/alpine:1", "8 ? unset-variable"});
}

TEST_CASE("a file alone finds its includes below its own folder or its repository") {
  const Folder folder({{"r/.git/HEAD", ""},
                       {"r/ci/main.gitlab-ci.yml", "include: /parts/a.yml\nvariables: {T: '1'}\n"},
                       {"r/parts/a.yml", job}});
  const auto report = scan_paths({folder / "r/ci/main.gitlab-ci.yml"});
  CHECK(report.problems.empty());
  CHECK(report.findings.size() == 1);
}

TEST_CASE("more includes than GitLab takes are refused") {
  std::string text = "include:\n";
  for (int i = 0; i < 200; ++i) text += "  - a.yml\n";
  const Folder folder({{".gitlab-ci.yml", text}, {"a.yml", "variables: {T: '1'}\n"}});
  CHECK(has_problem(folder.scan(), "more than 150 includes"));
}

TEST_CASE("globs") {
  CHECK(matches_glob("ci/a.yml", "ci/*.yml"));
  CHECK_FALSE(matches_glob("ci/x/a.yml", "ci/*.yml"));
  CHECK(matches_glob("ci/x/a.yml", "ci/**.yml"));
  CHECK(matches_glob("ci/a.yml", "ci/**/*.yml"));
  CHECK(matches_glob("ci/x/y/a.yml", "ci/**/*.yml"));
  CHECK(matches_glob("a.yml", "**/a.yml"));
  CHECK_FALSE(matches_glob("xa.yml", "**/a.yml"));
  CHECK_FALSE(matches_glob("ci/a.yaml", "ci/*.yml"));
  CHECK_FALSE(matches_glob(std::string(2000, 'a'), std::string(300, '*')));
}

}  // namespace paddock::ci::test
