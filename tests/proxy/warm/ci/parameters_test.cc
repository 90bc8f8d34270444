#include "proxy/warm/ci/parameters.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

// Each reading's text, or "? kind".
Lines texts(const Readings& readings) {
  Lines out;
  for (const Reading& reading : readings) {
    out.push_back(reading.unknown ? "? " + std::string(to_string(reading.unknown->kind)) : reading.text);
  }
  return out;
}

const YamlNode& root(const YamlFile& file) { return *file.documents().front(); }

}  // namespace

TEST_CASE("a Tekton parameter is its value, or else its default, of the nearest level") {
  ExpansionBudget budget;
  const YamlFile outer("f", "params: [{name: a, value: outer}, {name: b, default: far}, {name: c, default: c}]\n");
  const YamlFile inner("f", "params: [{name: a, default: own}, {name: b, default: near}]\n");
  const TektonParameters above(nullptr, root(outer), budget);
  const TektonParameters here(&above, root(inner), budget);
  CHECK(texts(here.evaluate("params.a")) == Lines{"outer"});
  CHECK(texts(here.evaluate("params.b")) == Lines{"near"});
  CHECK(texts(here.evaluate("params.c")) == Lines{"c"});
  CHECK(texts(here.evaluate("inputs.params.c")) == Lines{"c"});
  CHECK(texts(here.evaluate("params.none")) == Lines{"? unset-variable"});
}

TEST_CASE("a Tekton value may name parameters of the level around it, not its own") {
  ExpansionBudget budget;
  const YamlFile outer("f", "params: [{name: v, default: '1'}]\n");
  const YamlFile inner("f", "params: [{name: v, value: 2}, {name: i, value: 'x:$(params.v)'}]\n");
  const TektonParameters above(nullptr, root(outer), budget);
  CHECK(texts(TektonParameters(&above, root(inner), budget).evaluate("params.i")) == Lines{"x:1"});
}

TEST_CASE("lists and matrices of Tekton have all their values, an index one") {
  ExpansionBudget budget;
  const YamlFile file("f", "params: [{name: l, value: [a, b]}]\nmatrix: {params: [{name: m, value: [c, d]}]}\n");
  const TektonParameters here(nullptr, root(file), budget);
  CHECK(texts(here.evaluate("params.l")) == Lines{"a", "b"});
  CHECK(texts(here.evaluate("params.l[*]")) == Lines{"a", "b"});
  CHECK(texts(here.evaluate("params.l[1]")) == Lines{"b"});
  CHECK(texts(here.evaluate("params.l[2]")) == Lines{"? unset-variable"});
  CHECK(texts(here.evaluate("params['m']")) == Lines{"c", "d"});
  CHECK(texts(here.evaluate("params[\"m\"]")) == Lines{"c", "d"});
  CHECK(texts(here.evaluate("params['")) == Lines{"? unset-variable"});
}

TEST_CASE("results of Tekton's tasks are outputs, its context is known when it runs") {
  ExpansionBudget budget;
  const YamlFile file("f", "{}\n");
  const TektonParameters here(nullptr, root(file), budget);
  CHECK(texts(here.evaluate("tasks.t.results.r")) == Lines{"? job-output"});
  CHECK(texts(here.evaluate("steps.s.results.r")) == Lines{"? job-output"});
  CHECK(texts(here.evaluate("context.pipelineRun.name")) == Lines{"? run-time"});
}

TEST_CASE("an Argo template's input is what each caller passes, through callers of callers") {
  ExpansionBudget budget;
  const YamlFile file("f",
                      "arguments: {parameters: [{name: v, value: '1'}]}\n"
                      "templates:\n"
                      "  - name: main\n"
                      "    steps: [[{template: mid, arguments: {parameters: [{name: t, value: "
                      "'{{workflow.parameters.v}}'}]}}]]\n"
                      "  - name: mid\n"
                      "    inputs: {parameters: [{name: t}]}\n"
                      "    dag: {tasks: [{template: run, arguments: {parameters: [{name: i, value: "
                      "'x:{{inputs.parameters.t}}'}]}}, {template: run, arguments: {parameters: [{name: i, value: "
                      "'y:{{item}}'}]}, withItems: [a, b]}]}\n"
                      "  - name: run\n"
                      "    inputs: {parameters: [{name: i, default: unused}, {name: d, default: kept}]}\n");
  const ArgoParameters argo(root(file), budget);
  CHECK(texts(argo.evaluate("run", "inputs.parameters.i")) == Lines{"x:1", "y:a", "y:b"});
  CHECK(texts(argo.evaluate("run", "inputs.parameters.d")) == Lines{"kept"});
  CHECK(texts(argo.evaluate("run", "inputs.parameters.none")) == Lines{"? unset-variable"});
  CHECK(texts(argo.evaluate("run", "workflow.parameters.v")) == Lines{"1"});
  CHECK(texts(argo.evaluate("run", "workflow.parameters.w")) == Lines{"? unset-variable"});
  CHECK(texts(argo.evaluate("run", "workflow.name")) == Lines{"? run-time"});
  CHECK(texts(argo.evaluate("run", "tasks.a.outputs.result")) == Lines{"? job-output"});
  CHECK(texts(argo.evaluate("run", "=sprig.upper('x')")) == Lines{"? expression"});
}

TEST_CASE("Argo templates that call each other end as unknown") {
  ExpansionBudget budget;
  const YamlFile file("f",
                      "templates:\n"
                      "  - {name: a, inputs: {parameters: [{name: i}]}, steps: [[{template: b, arguments: {parameters: "
                      "[{name: i, value: '{{inputs.parameters.i}}'}]}}]]}\n"
                      "  - {name: b, inputs: {parameters: [{name: i}]}, steps: [[{template: a, arguments: {parameters: "
                      "[{name: i, value: '{{inputs.parameters.i}}'}]}}]]}\n");
  CHECK(texts(ArgoParameters(root(file), budget).evaluate("a", "inputs.parameters.i")) == Lines{"? expression"});
}

TEST_CASE("parameters that multiply end as too many") {
  ExpansionBudget budget;
  std::string text = "params:\n  - {name: l, value: [";
  for (int i = 0; i < 500; ++i) text += std::string(500, 'x') + std::to_string(i) + ",";
  const YamlFile outer("f", text + "]}\n");
  const TektonParameters above(nullptr, root(outer), budget);
  text = "params:\n";
  for (int i = 0; i < 2000; ++i) text += "  - {name: p" + std::to_string(i) + ", value: '$(params.l)'}\n";
  const YamlFile inner("f", text);
  const TektonParameters here(&above, root(inner), budget);
  CHECK(here.evaluate("params.p0").size() == 500);
  CHECK(texts(here.evaluate("params.p1999")) == Lines{"? too-many"});
}

}  // namespace paddock::ci::test
