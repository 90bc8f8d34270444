#include "proxy/warm/ci/scan.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "proxy/warm/ci/recognise.h"
#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

namespace fs = std::filesystem;
const std::string pull = "#!/bin/sh\ndocker pull alpine:3.19\n";

std::string format_of(const std::string& name, const std::string& text) {
  const YamlFile file("f", text);
  const auto format = recognise_yaml(name, *file.documents().front());
  return format ? std::string(to_string(*format)) : "none";
}

}  // namespace

TEST_CASE("YAML is recognised by what it holds") {
  CHECK(format_of("x.yml", "stages: [a]\n") == "gitlab-ci");
  CHECK(format_of("x.yml", "j: {script: [x]}\n") == "gitlab-ci");
  CHECK(format_of("x.yml", "j: {trigger: {include: a.yml}}\n") == "gitlab-ci");
  CHECK(format_of("x.yml", "include: [{local: a.yml}]\n") == "gitlab-ci");
  CHECK(format_of("x.yml", "on: push\njobs: {}\n") == "github-actions");
  CHECK(format_of(".github/workflows/x.yml", "jobs: {a: {}}\n") == "github-actions");
  CHECK(format_of("x.yml", "runs: {using: composite}\n") == "github-actions");
  CHECK(format_of("x.yml", "services: {a: {image: b}}\n") == "compose");
  CHECK(format_of("x.yml", "apiVersion: v1\nkind: Pod\n") == "kubernetes");
  CHECK(format_of("x.yml", "a: {image: {repository: b}}\n") == "helm");
  CHECK(format_of("values-x.yaml", "a: 1\n") == "helm");
  CHECK(format_of("x.yml", "a: 1\n") == "none");
  CHECK(format_of("x.yml", "- a\n") == "none");
  CHECK(format_of("x.yml", "scripts: {script: {a: b}}\n") == "none");
  CHECK(format_of("x.yml", "image: logo.png\n") == "none");
}

TEST_CASE("other files too, and their names help") {
  CHECK(look_at("Dockerfile", "ARG A\n") == Look::dockerfile);
  CHECK(look_at("x", "# c\nARG A=1\nARG B\n\nFROM $A\n") == Look::dockerfile);
  CHECK(look_at("x", "From the desk of;\n") == std::nullopt);
  CHECK(look_at("x", pull) == Look::shell);
  CHECK(look_at("x", "#!/usr/bin/env bash\n") == Look::shell);
  CHECK(look_at("x", "#!/usr/bin/python3\n") == std::nullopt);
  CHECK(look_at("x", "// c\npipeline {\n") == Look::jenkinsfile);
  CHECK(look_at("Jenkinsfile.nightly", "") == Look::jenkinsfile);
  CHECK(look_at("x.md", "") == Look::markdown);
  CHECK(look_at("x.json", "{\"apiVersion\": \"v1\"}") == Look::yaml);
  CHECK(look_at("package.json", "{\"name\": \"x\"}") == std::nullopt);
  CHECK(look_at("x", "") == std::nullopt);
  CHECK_FALSE(may_be_ci_file("a.cc"));
  CHECK(may_be_ci_file("Dockerfile.py"));
}

TEST_CASE("folders are walked, without those of tools") {
  const Folder folder({{"a/b/pull", pull},
                       {".git/hooks/pull", pull},
                       {"node_modules/x/pull", pull},
                       {"src/main.py", "# docker pull x\n"},
                       {"README.md", "`docker pull busybox:1`\n"}});
  CHECK(folder.lines() == Lines{"README.md:1 docker.io/library/busybox:1", "a/b/pull:2 docker.io/library/alpine:3.19"});
  CHECK(folder.scan().files == 2);
}

TEST_CASE("a link to a folder beside is followed, and its files said once") {
  const Folder folder({{"a/pull", pull}});
  fs::create_directory_symlink("a", folder / "z");
  CHECK(folder.lines() == Lines{"a/pull:2 docker.io/library/alpine:3.19"});
  CHECK(folder.scan().problems.empty());
}

TEST_CASE("named files that are no CI files, or not there, are problems") {
  const Folder folder({{"a.txt", "hello\n"}, {"b.yml", "a: 1\n"}});
  CHECK(has_problem(scan_paths({folder / "a.txt"}), "not a CI file"));
  CHECK(has_problem(scan_paths({folder / "b.yml"}), "not a CI file"));
  CHECK(has_problem(scan_paths({folder / "none"}), "no such file"));
  CHECK(folder.scan().problems.empty());
}

TEST_CASE("a file named twice is read once, and the limit of files is said") {
  const Folder folder({{"a.sh", pull}, {"b.sh", pull}, {"c.sh", pull}});
  CHECK(scan_paths({folder / "a.sh", folder / "a.sh", folder.path()}).findings.size() == 3);
  ScanOptions options;
  options.entries_limit = 2;
  CHECK(has_problem(folder.scan(options), "more than 2 files"));
}

TEST_CASE("different files of one image make one to fetch") {
  const Folder folder({{"a.sh", pull}, {"b.sh", "docker pull docker.io/library/alpine:3.19\ndocker pull redis\n"}});
  const auto images = unique_images(folder.scan());
  REQUIRE(images.size() == 2);
  CHECK(images[0].reference == "docker.io/library/alpine:3.19");
  CHECK(images[0].name == "alpine:3.19");
  CHECK(images[1].reference == "docker.io/library/redis:latest");
}

TEST_CASE("Markdown: only commands count") {
  CHECK(scan_lines(
            "a.md",
            "docker pull no:1\n\n``docker pull a:1``\n\n```sh\n$ docker pull b:2\n```\n\n```c\ndocker pull no:2\n```\n"
            "~~~~\ndocker pull c:3\n~~~\n~~~~\n`docker pull d:<tag>`\n") ==
        Lines{"13 docker.io/library/c:3", "16 ? not-a-name", "3 docker.io/library/a:1", "6 docker.io/library/b:2"});
}

}  // namespace paddock::ci::test
