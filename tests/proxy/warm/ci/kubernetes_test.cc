#include "proxy/warm/ci/kubernetes.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
Lines lines(const std::string& text) { return scan_lines("a.yaml", text); }

}  // namespace

TEST_CASE("images of containers are found, at any depth") {
  CHECK(lines(head + "spec:\n  containers: [{name: a, image: 'x:1'}]\n  initContainers: [{image: 'y:2'}]\n") ==
        Lines{"5 docker.io/library/x:1", "6 docker.io/library/y:2"});
  CHECK(lines("apiVersion: a/v1\nkind: Own\nspec: {image: 'x:1', icon: {image: {url: u}}}\n") ==
        Lines{"3 docker.io/library/x:1"});
  CHECK(lines(head + "spec:\n  volumes: [{name: m, image: {reference: 'x:1', pullPolicy: Always}}]\n") ==
        Lines{"5 docker.io/library/x:1"});
}

TEST_CASE("where tells the object and the container") {
  const auto report = scan_text("a.yaml", head + "spec: {containers: [{name: c, image: x}]}\n");
  CHECK(report.findings.front().place.where == "Pod p, c");
}

TEST_CASE("what something else fills in is unresolved") {
  CHECK(lines(head + "spec: {containers: [{image: '${I}'}]}\n") == Lines{"4 ? unset-variable"});
  CHECK(lines(head + "spec: {containers: [{image: '{{ image }}'}]}\n") == Lines{"4 ? expression"});
  CHECK(lines(head + "spec: {containers: [{image: __IMAGE__}]}\n") == Lines{"4 ? not-a-name"});
}

TEST_CASE("Tekton's values win over defaults, outer ones too") {
  const std::string task = "apiVersion: tekton.dev/v1\nkind: TaskRun\nspec:\n";
  const std::string spec =
      "  taskSpec:\n    params: [{name: i, default: 'x:1'}, {name: l, default: ['y:1', 'y:2']}]\n    steps:\n";
  CHECK(lines(task + spec + "      - image: $(params.i)\n") == Lines{"7 docker.io/library/x:1"});
  CHECK(lines(task + "  params: [{name: i, value: 'x:2'}]\n" + spec + "      - image: $(params.i)\n") ==
        Lines{"8 docker.io/library/x:2"});
  CHECK(lines(task + spec +
              "      - image: $(params.l[1])\n      - image: $(params['i'])\n      - image: $(params.l[9])\n") ==
        Lines{"7 docker.io/library/y:2", "8 docker.io/library/x:1", "9 ? unset-variable"});
  CHECK(lines(task + spec + "      - image: $(tasks.a.results.b)\n      - image: $(context.taskRun.name)\n") ==
        Lines{"7 ? job-output", "8 ? run-time"});
}

TEST_CASE("an empty list of values is no value") {
  CHECK(lines("apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  params: [{name: l, value: []}]\n  steps: [{image: "
              "'$(params.l)'}]\n") == Lines{"5 ? unset-variable"});
}

TEST_CASE("Argo's templates get what their callers pass") {
  const std::string flow = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  templates:\n";
  const std::string run =
      "    - {name: r, inputs: {parameters: [{name: i, default: 'x:0'}]}, container: {image: "
      "'{{inputs.parameters.i}}'}}\n";
  CHECK(lines(flow + run) == Lines{"5 docker.io/library/x:0"});
  CHECK(lines(flow + run +
              "    - name: m\n      steps: [[{name: s, template: r, arguments: {parameters: [{name: i, value: "
              "'x:1'}]}}]]\n") == Lines{"5 docker.io/library/x:1"});
  CHECK(lines(flow + run +
              "    - name: m\n      steps: [[{template: r, withItems: [{t: '1'}, {t: '2'}], arguments: {parameters: "
              "[{name: i, value: 'x:{{item.t}}'}]}}]]\n") ==
        Lines{"5 docker.io/library/x:1", "5 docker.io/library/x:2"});
  CHECK(lines(flow + run +
              "    - name: m\n      steps: [[{template: r, arguments: {parameters: [{name: i, value: "
              "'{{steps.a.outputs.result}}'}]}}]]\n") == Lines{"5 ? job-output"});
  // A template that calls itself ends.
  CHECK(
      lines(
          flow +
          "    - name: r\n      inputs: {parameters: [{name: i}]}\n      container: {image: "
          "'{{inputs.parameters.i}}'}\n"
          "      steps: [[{template: r, arguments: {parameters: [{name: i, value: '{{inputs.parameters.i}}'}]}}]]\n") ==
      Lines{"7 ? expression"});
}

TEST_CASE("several documents, and some that are none of Kubernetes") {
  CHECK(lines("a: 1\n---\n" + head + "spec: {containers: [{image: 'x:1'}]}\n---\n---\n" + head) ==
        Lines{"6 docker.io/library/x:1"});
}

TEST_CASE("what an application keeps in a ConfigMap or Secret is no image") {
  CHECK(lines("apiVersion: v1\nkind: ConfigMap\ndata: {image: logo.png}\n").empty());
  CHECK(lines("apiVersion: v1\nkind: Secret\nstringData: {image: logo.png}\n").empty());
}

}  // namespace paddock::ci::test
