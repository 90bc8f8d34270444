#include "proxy/warm/ci/gitlab_variables.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

// What a text means in each variant of job "j": texts joined by '|', or "? kind".
Lines meanings(const std::string& pipeline, std::string_view text, bool with_globals = true, Variables given = {}) {
  const YamlFile file("f", pipeline);
  const Source source;
  Collector collector(100);
  const GitlabConfig config({{&source, file.documents().front(), std::move(given)}}, collector);
  const GitlabInputs inputs(config.parts());
  GitlabVariables variables(config, config.job_layers("j"), inputs, with_globals);
  Lines out;
  for (std::size_t variant = 0; variant < variables.variants(); ++variant) {
    variables.choose(variant);
    std::string line;
    for (const Reading& reading : variables.expand(text)) {
      if (!line.empty()) line += "|";
      line += reading.unknown ? "? " + std::string(to_string(reading.unknown->kind)) : reading.text;
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

TEST_CASE("a job's variables win over global ones, and may name these") {
  const std::string text = "variables: {A: global, B: {value: full, description: d}}\nj: {variables: {A: own-$B}}\n";
  CHECK(meanings(text, "$A/${B}") == Lines{"own-full/full"});
  CHECK(meanings(text, "$A", false) == Lines{"? unset-variable"});
  CHECK(meanings("variables: {A: 1}\n.p: {variables: {A: 2, C: 3}}\nj: {extends: .p, variables: {C: 4}}\n", "$A$C") ==
        Lines{"24"});
}

TEST_CASE("what GitLab sets is known when the job runs, unless the file sets it") {
  CHECK(meanings("j: {}\n", "$CI_COMMIT_SHA") == Lines{"? run-time"});
  CHECK(meanings("j: {}\n", "$GITLAB_USER_NAME") == Lines{"? run-time"});
  CHECK(meanings("j: {variables: {CI_REGISTRY: q.io}}\n", "$CI_REGISTRY") == Lines{"q.io"});
  CHECK(meanings("j: {}\n", "$OWN") == Lines{"? unset-variable"});
}

TEST_CASE("a matrix makes a variant of each combination of each mapping") {
  CHECK(meanings("j: {parallel: {matrix: [{A: [1, 2], B: [x, y]}, {A: 3}]}}\n", "$A") ==
        Lines{"1", "1", "2", "2", "3"});
  CHECK(meanings("variables: {B: z}\nj: {parallel: {matrix: [{A: [1, 2]}]}}\n", "$A$B") == Lines{"1z", "2z"});
  CHECK(meanings("j: {parallel: 5}\n", "x") == Lines{"x"});
}

TEST_CASE("every rule that may apply makes a variant, equal ones one") {
  CHECK(meanings("j:\n  variables: {A: 1}\n  rules: [{if: x, variables: {A: 2}}, {when: never, variables: {A: 3}}, "
                 "{if: y, variables: {A: 2}}, {when: always}]\n",
                 "$A") == Lines{"2", "1"});
  CHECK(meanings("workflow: {rules: [{variables: {A: 1}}, {variables: {A: 2}}]}\nj: {rules: [{variables: {B: x}}]}\n",
                 "$A$B") == Lines{"1x", "2x"});
}

TEST_CASE("more variants than are looked at leave the job as it is, and are told") {
  std::string rules;
  for (int i = 0; i < 40; ++i) rules += "{variables: {A: " + std::to_string(i) + "}},";
  const YamlFile file("f", "workflow: {rules: [" + rules + "]}\nj: {rules: [" + rules + "]}\n");
  const Source source;
  Collector collector(10);
  const GitlabConfig config({{&source, file.documents().front(), {}}}, collector);
  const GitlabInputs inputs(config.parts());
  const GitlabVariables variables(config, config.job_layers("j"), inputs, true);
  CHECK(variables.too_many());
  CHECK(variables.variants() == 40);
}

TEST_CASE("inputs have every value that an including file gives") {
  CHECK(meanings("j: {}\n", "x:$[[ inputs.v ]]", true, {{"v", {{"1"}, {"2"}}}}) == Lines{"x:1|x:2"});
  CHECK(meanings("j: {}\n", "$[[ inputs.v | expand_vars ]]", true, {{"v", {{"1"}}}}) == Lines{"1"});
  CHECK(meanings("j: {}\n", "$[[ inputs.none ]]") == Lines{"? unset-variable"});
  CHECK(meanings("variables: {A: a}\nj: {}\n", "$[[ inputs.v ]]", true, {{"v", {{"$A"}}}}) == Lines{"a"});
}

TEST_CASE("variables that name each other end as unknown") {
  CHECK(meanings("variables: {A: $B, B: $A}\nj: {}\n", "$A") == Lines{"? expression"});
  CHECK(meanings("variables: {A: x$A}\nj: {}\n", "$A") == Lines{"? expression"});
}

}  // namespace paddock::ci::test
