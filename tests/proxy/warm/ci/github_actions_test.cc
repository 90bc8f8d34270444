#include "proxy/warm/ci/github_actions.h"

#include <catch2/catch.hpp>
#include <string>

#include "proxy/warm/ci/github_expression.h"
#include "proxy/warm/ci/github_matrix.h"
#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

Lines job(const std::string& body, const std::string& top = "on: push\n") {
  return scan_lines("w.yml", top + "jobs:\n  j:\n" + body);
}

std::string evaluated(const std::string& expression) {
  const Reading value = evaluate_github(expression, [](std::string_view path) -> Reading {
    if (path == "matrix.x") return {"1"};
    if (path == "matrix.none") return {""};
    if (path == "inputs.unset") return Reading::not_known(UnresolvedKind::unset_variable, "unset");
    return Reading::not_known(UnresolvedKind::run_time, "later");
  });
  return value.unknown ? '?' + std::string(to_string(value.unknown->kind)) : value.text;
}

// The matrix's combinations as "a=1,b=2", joined by blanks.
std::string combinations(const std::string& text) {
  const YamlFile file("f", text);
  std::string out;
  for (const Combination& one : read_matrix(file.documents().front()).combinations) {
    if (!out.empty()) out += ' ';
    bool first = true;
    for (const auto& [name, value] : one) {
      out += (first ? "" : ",") + name + "=" + value->text;
      first = false;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("expressions are evaluated as GitHub does") {
  CHECK(evaluated("matrix.x") == "1");
  CHECK(evaluated("matrix['x']") == "1");
  CHECK(evaluated("'a''b'") == "a'b");
  CHECK(evaluated("matrix.none || 'd'") == "d");
  CHECK(evaluated("inputs.unset || 'd'") == "d");
  CHECK(evaluated("vars.X || 'd'") == "?run-time");
  CHECK(evaluated("matrix.x == '1' && 'yes' || 'no'") == "yes");
  CHECK(evaluated("matrix.x != '1' && 'yes' || 'no'") == "no");
  CHECK(evaluated("!(matrix.x == '2') && 'yes'") == "yes");
  CHECK(evaluated("format('{0}:{1}', 'a', matrix.x)") == "a:1");
  CHECK(evaluated("format('{2}', 'a')") == "?expression");
  CHECK(evaluated("fromJSON(needs.a.outputs.b)") == "?run-time");
  CHECK(evaluated("fromJSON('[1]')") == "?expression");
  CHECK(evaluated("inputs.unset") == "?unset-variable");
  for (const auto* broken : {"", "(", "'a", "a b", "&&", "format(", "a['", "1 +"}) {
    INFO(broken);
    CHECK(evaluated(broken) == "?expression");
  }
}

TEST_CASE("a matrix is the product of its axes, less what is excluded, more what is included") {
  CHECK(combinations("a: [1, 2]\nb: [x, y]\n") == "a=1,b=x a=1,b=y a=2,b=x a=2,b=y");
  CHECK(combinations("a: [1, 2]\nb: [x, y]\nexclude: [{a: 1, b: y}, {b: x, a: 2}]\n") == "a=1,b=x a=2,b=y");
  CHECK(combinations("a: [1, 2]\ninclude: [{c: z}]\n") == "a=1,c=z a=2,c=z");
  CHECK(combinations("a: [1, 2]\ninclude: [{a: 2, c: z}]\n") == "a=1 a=2,c=z");
  CHECK(combinations("a: [1]\ninclude: [{a: 3, c: z}]\n") == "a=1 a=3,c=z");
  CHECK(combinations("include: [{a: 1}, {a: 2}]\n") == "a=1 a=2");
  CHECK(read_matrix(nullptr).combinations.size() == 1);
}

TEST_CASE("containers, services and docker:// steps") {
  CHECK(job("    container: alpine:1\n    services: {a: {image: redis:7}}\n    steps: [{uses: "
            "'docker://busybox:1'}]\n") ==
        Lines{"4 docker.io/library/alpine:1", "5 docker.io/library/redis:7", "6 docker.io/library/busybox:1"});
  CHECK(job("    container: {image: alpine:1}\n    steps: [{uses: actions/checkout@v4}, {uses: ./local}]\n") ==
        Lines{"4 docker.io/library/alpine:1"});
  CHECK(job("    container: ${{ matrix.c }}\n    services: {a: {image: ''}}\n    steps: []\n").empty());
}

TEST_CASE("the nearest environment counts") {
  const std::string run = "    steps:\n      - run: docker pull $I\n";
  CHECK(job(run, "on: push\nenv: {I: 'alpine:1'}\n") == Lines{"6 docker.io/library/alpine:1"});
  CHECK(job("    env: {I: 'alpine:2'}\n" + run, "on: push\nenv: {I: 'alpine:1'}\n") ==
        Lines{"7 docker.io/library/alpine:2"});
  CHECK(job("    env: {I: 'alpine:2'}\n" + run + "        env: {I: 'alpine:${{ env.T }}', T: '3'}\n") ==
        Lines{"6 docker.io/library/alpine:3"});
  CHECK(job(run) == Lines{"5 ? unset-variable"});
  CHECK(job("    env: {I: '${{ env.I }}'}\n" + run).size() == 1);
}

TEST_CASE("what a step writes to GITHUB_ENV is known at run time only") {
  CHECK(job("    env: {I: 'alpine:1'}\n    steps:\n      - run: echo \"I=$(x)\" >> $GITHUB_ENV\n"
            "      - run: docker pull $I\n") == Lines{"7 ? run-time"});
}

TEST_CASE("an expression in a script is reported as it is written") {
  const auto report =
      scan_text("w.yml", "on: push\njobs:\n  j:\n    steps:\n      - run: docker pull ${{ steps.a.outputs.b }}\n");
  REQUIRE(report.unresolved.size() == 1);
  CHECK(report.unresolved.front().text == "${{ steps.a.outputs.b }}");
  CHECK(report.unresolved.front().reason == "steps.a.outputs.b is the output of a step");
  CHECK(report.unresolved.front().place.where == "job j, step 1");
}

TEST_CASE("a workflow that only others call is filled in by them") {
  const std::string called =
      "on:\n  workflow_call:\n    inputs: {i: {required: true}}\njobs:\n  j:\n"
      "    container: ${{ inputs.i }}\n    steps: []\n";
  CHECK(scan_lines("w.yml", called) == Lines{"6 ? unset-variable"});
  const Folder folder({{".github/workflows/w.yml", called},
                       {".github/workflows/ci.yml",
                        "on: push\njobs:\n  c:\n    uses: ./.github/workflows/w.yml\n    with: {i: 'alpine:1'}\n"}});
  CHECK(folder.lines() == Lines{".github/workflows/w.yml:6 docker.io/library/alpine:1"});
  CHECK(folder.scan().findings.front().place.where == "job c > job j, container");
  CHECK(has_problem(
      scan_text(".github/workflows/a.yml", "on: push\njobs:\n  c:\n    uses: ./.github/workflows/none.yml\n"),
      "which is not there"));
}

}  // namespace paddock::ci::test
