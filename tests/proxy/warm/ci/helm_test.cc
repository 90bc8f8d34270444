#include "proxy/warm/ci/helm.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines values(const std::string& text) { return scan_lines("values.yaml", text); }

// What a template's "image:" comes to in a small chart.
Lines image(const std::string& expression) {
  const Folder folder({{"Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\nappVersion: '7'\n"},
                       {"values.yaml", "i:\n  registry: q.io\n  path: a/b\n  tag: ''\n  full: q.io/a/b:1\n"},
                       {"templates/x/pod.yaml", "  - image: " + expression + "\n"}});
  return lines_of(scan_paths({folder / "templates/x/pod.yaml"}), folder / "templates/x", false);
}

}  // namespace

TEST_CASE("values have the parts of a name apart") {
  CHECK(values("image: {registry: q.io, repository: a/b, tag: 1}\n") == Lines{"1 q.io/a/b:1"});
  CHECK(values("image: {repository: q.io/a/b, tag: '1'}\n") == Lines{"1 q.io/a/b:1"});
  CHECK(values("image: {repository: q.io/a/b}\n") == Lines{"1 ? no-tag"});
  CHECK(values("image: {repository: 'q.io:5000/a/b', tag: ''}\n") == Lines{"1 ? no-tag"});
  CHECK(values("image: {repository: 'q.io/a/b:1'}\n") == Lines{"1 q.io/a/b:1"});
  CHECK(values("web: {image: q.io/a/b, tag: 1}\n") == Lines{"1 q.io/a/b:1"});
  CHECK(values("initImage: {repository: a/b, tag: '1'}\n") == Lines{"1 docker.io/a/b:1"});
  CHECK(values("list: [{image: {repository: a/b, tag: '1'}}]\n") == Lines{"1 docker.io/a/b:1"});
  CHECK(values("image: {repository: a/b, tag: '{{ .Values.x }}'}\n") == Lines{"1 ? expression"});
}

TEST_CASE("what only looks like an image is none") {
  CHECK(values("git: {repository: org/repo, tag: v1}\n").empty());
  CHECK(values("chart: {repository: 'https://charts.example.com', digest: x}\n").empty());
  CHECK(values("image: {repository: ''}\nimagePullPolicy: Always\n").empty());
}

TEST_CASE("a global registry replaces the images' own") {
  CHECK(values("global: {imageRegistry: h.io}\nimage: {registry: q.io, repository: a/b, tag: '1'}\n") ==
        Lines{"2 h.io/a/b:1"});
  CHECK(values("global: {imageRegistry: ''}\nimage: {registry: q.io, repository: a/b, tag: '1'}\n") ==
        Lines{"2 q.io/a/b:1"});
}

TEST_CASE("templates are evaluated over the chart's own values") {
  CHECK(image("\"{{ .Values.i.registry }}/{{ .Values.i.path }}:{{ .Values.i.tag | default .Chart.AppVersion }}\"") ==
        Lines{"1 q.io/a/b:7"});
  CHECK(image("{{ .Values.i.full | quote }}") == Lines{"1 q.io/a/b:1"});
  CHECK(image("{{- $.Values.i.full -}}") == Lines{"1 q.io/a/b:1"});
  CHECK(image("{{ default \"x:1\" .Values.none }}") == Lines{"1 docker.io/library/x:1"});
  CHECK(image("'{{ printf \"%s/%s:%v\" .Values.i.registry .Values.i.path (.Values.i.tag | default \"9\") }}'") ==
        Lines{"1 q.io/a/b:9"});
  CHECK(image("{{ coalesce .Values.none .Values.i.tag .Values.i.full }}") == Lines{"1 q.io/a/b:1"});
  CHECK(image("{{ required \"say it\" .Values.i.full }}") == Lines{"1 q.io/a/b:1"});
  CHECK(image("x:1 # comment") == Lines{"1 docker.io/library/x:1"});
}

TEST_CASE("what templates cannot say alone is unresolved") {
  CHECK(image("{{ .Values.none }}") == Lines{"1 ? unset-variable"});
  CHECK(image("{{ include \"c.image\" . }}") == Lines{"1 ? expression"});
  CHECK(image("{{ .repository }}:1") == Lines{"1 ? expression"});
  CHECK(image("{{ tpl .Values.i.full . }}") == Lines{"1 ? expression"});
  CHECK(image("{{ | }}") == Lines{"1 ? expression"});
  CHECK(image("{{ " + std::string(5000, '(') + " }}").size() == 1);
}

}  // namespace paddock::ci::test
