#include "proxy/warm/ci/recognise.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

std::optional<Format> format(const std::string& path, const std::string& text) {
  const YamlFile file(path, text);
  return recognise_yaml(path, *file.documents().front());
}

}  // namespace

TEST_CASE("a name tells how a file is to be read") {
  CHECK(look_at("a.yml", "") == Look::yaml);
  CHECK(look_at("x/README.MD", "") == Look::markdown);
  for (const auto* name : {"Dockerfile", "dockerfile.gpu", "Containerfile", "gpu.Dockerfile"}) {
    INFO(name);
    CHECK(look_at(name, "") == Look::dockerfile);
  }
  CHECK(look_at("Jenkinsfile.nightly", "") == Look::jenkinsfile);
  CHECK(look_at("ci.jenkinsfile", "") == Look::jenkinsfile);
  CHECK(look_at("build.sh", "") == Look::shell);
  CHECK_FALSE(look_at("notes.tpl", "{{ .Values }}"));
}

TEST_CASE("what a file holds tells where its name does not") {
  CHECK(look_at("x", "#!/bin/sh\nls\n") == Look::shell);
  CHECK(look_at("x", "#!/usr/bin/env -S bash -eu\n") == std::nullopt);
  CHECK(look_at("x", "#!/usr/bin/env bash\n") == Look::shell);
  CHECK(look_at("x", "#!/usr/bin/python3\n# docker pull a\n") == std::nullopt);
  CHECK(look_at("x", "// comment\npipeline {\n}\n") == Look::jenkinsfile);
  CHECK(look_at("x.groovy", "@Library('a') _\nnode { }\n") == Look::jenkinsfile);
  CHECK(look_at("x", "# comment\nARG A=1\nFROM alpine:$A\n") == Look::dockerfile);
  CHECK(look_at("x", "from a import b;\n") == std::nullopt);
  CHECK(look_at("x.sql", "FROM table;\n") == std::nullopt);
  CHECK(look_at("x", "apiVersion: v1\n") == Look::yaml);
  CHECK(look_at("x.json", "{\"apiVersion\": \"v1\"}") == Look::yaml);
  CHECK(look_at("x.json", "{\"name\": \"x\"}") == std::nullopt);
  CHECK(look_at("x", "") == std::nullopt);
  CHECK(look_at("x", "\n\n") == std::nullopt);
}

TEST_CASE("a chart's templates are told by the chart beside them") {
  const Folder folder({{"chart/Chart.yaml", ""}, {"chart/templates/a.yaml", ""}, {"other/templates/a.yaml", ""}});
  CHECK(look_at(folder / "chart/templates/a.yaml", "") == Look::helm_template);
  CHECK(look_at(folder / "chart/templates/sub/_x.tpl", "") == Look::helm_template);
  CHECK(look_at(folder / "other/templates/a.yaml", "") == Look::yaml);
}

TEST_CASE("sources and archives are not opened, unless their name tells more") {
  CHECK_FALSE(may_be_ci_file("a.py"));
  CHECK_FALSE(may_be_ci_file("model.pdparams"));
  CHECK(may_be_ci_file("Dockerfile.py"));
  CHECK(may_be_ci_file("no-extension"));
  CHECK(has_telling_name("a.yaml"));
  CHECK_FALSE(has_telling_name("no-extension"));
}

TEST_CASE("a YAML document is told by its keys") {
  CHECK(format("a.yml", "apiVersion: v1\nkind: Pod\n") == Format::kubernetes);
  CHECK(format("a.yml", "on: push\njobs: {a: {steps: []}}\n") == Format::github_actions);
  CHECK(format("a.yml", "runs: {using: docker, image: x}\n") == Format::github_actions);
  CHECK(format("a.yml", "services: {web: {image: x}}\n") == Format::compose);
  CHECK(format("a.yml", "services: {web: {build: .}}\n") == Format::compose);
  CHECK(format("a.yml", "job: {script: [x]}\n") == Format::gitlab_ci);
  CHECK(format("a.yml", "services: [redis:7]\n") == Format::gitlab_ci);
  CHECK(format("a.yml", "image: x\nbefore_script: [y]\n") == Format::gitlab_ci);
  CHECK(format("a.yml", "image: {repository: r, tag: t}\n") == Format::helm);
}

TEST_CASE("a name helps where keys say little") {
  CHECK(format("x.gitlab-ci.yml", "variables: {A: b}\n") == Format::gitlab_ci);
  CHECK(format("values.yaml", "sidecar: {image: x}\n") == Format::helm);
  CHECK(format(".github/workflows/a.yml", "jobs: {a: {steps: []}}\n") == Format::github_actions);
  CHECK_FALSE(format("a.yml", "jobs: {a: {steps: []}}\n"));
}

TEST_CASE("other YAML is none of these") {
  CHECK_FALSE(format("a.yml", "name: x\nversion: 2\n"));
  CHECK_FALSE(format("mkdocs.yml", "site_name: x\nnav: [a, b]\n"));
  CHECK_FALSE(format("a.yml", "[a, b]\n"));
  CHECK_FALSE(format("a.yml", "services: {web: {port: 1}}\n"));
}

}  // namespace paddock::ci::test
