#include "proxy/warm/ci/gitlab_config.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

// A pipeline whose parts are given as texts, the file itself last.
struct Pipeline {
  explicit Pipeline(const Lines& texts) {
    std::vector<GitlabPart> parts;
    for (const std::string& text : texts) {
      files.push_back(std::make_unique<YamlFile>("part" + std::to_string(files.size()), text));
      parts.push_back({&source, files.back()->documents().front(), {}});
    }
    config.emplace(std::move(parts), collector);
  }

  // The scalar below the key in the job as it finally is.
  [[nodiscard]] std::string value(const std::string& job, std::string_view key) const {
    const YamlNode* node = config->lookup(config->job_layers(job), key);
    return node == nullptr ? "none" : node->text;
  }
  Lines problems() { return problems_of(std::move(collector).take()); }

  Source source;
  std::vector<std::unique_ptr<YamlFile>> files;
  Collector collector{100};
  std::optional<GitlabConfig> config;
};

Lines texts(const std::vector<const YamlNode*>& nodes) {
  Lines out;
  for (const YamlNode* node : nodes) out.push_back(node->text);
  return out;
}

}  // namespace

TEST_CASE("jobs are the mappings that are no keyword, in their order, each once") {
  const Pipeline pipeline({"b: {script: x}\n.h: {image: i}\n",
                           "stages: [s]\nvariables: {V: w}\na: {script: x}\n"
                           "b: {script: y}\nworkflow: {name: n}\nc: text\n"});
  CHECK(pipeline.config->jobs() == Lines{"b", ".h", "a"});
}

TEST_CASE("later files win over earlier ones, key by key") {
  const Pipeline pipeline({"image: one\nj: {image: a, stage: first}\n", "image: two\nj: {image: b}\n"});
  CHECK(pipeline.value("j", "image") == "b");
  CHECK(pipeline.value("j", "stage") == "first");
  CHECK(pipeline.config->top("image")->text == "two");
  CHECK(pipeline.config->top("services") == nullptr);
}

TEST_CASE("a job has what it extends, the last parent first, its own above all") {
  const Pipeline pipeline(
      {".g: {image: g, tags: g}\n.a: {extends: .g, image: a, stage: a}\n.b: {stage: b}\n"
       "j: {extends: [.a, .b], cache: own}\n"});
  CHECK(pipeline.value("j", "cache") == "own");
  CHECK(pipeline.value("j", "stage") == "b");
  CHECK(pipeline.value("j", "image") == "a");
  CHECK(pipeline.value("j", "tags") == "g");
  CHECK(pipeline.value("j", "when") == "none");
}

TEST_CASE("a circle and a missing parent are told with the job's line") {
  Pipeline circle({"a: {extends: b}\nb: {extends: a}\n"});
  CHECK(circle.config->job_layers("a").size() == 2);
  CHECK(circle.problems() == Lines{"1 'a' extends itself, through 'b'; take the circle out"});
  Pipeline missing({"x: {}\na:\n  extends: .none\n"});
  CHECK(missing.config->job_layers("a").size() == 1);
  CHECK(missing.problems() == Lines{"3 'a' extends '.none', which is not there; correct the name"});
}

TEST_CASE("a chain of more levels than GitLab takes is refused") {
  std::string text = "j0: {image: i}\n";
  for (int i = 1; i < 14; ++i) {
    text += "j" + std::to_string(i) + ": {extends: j" + std::to_string(i - 1) + "}\n";
  }
  Pipeline pipeline({text});
  CHECK(pipeline.value("j10", "image") == "i");
  CHECK(pipeline.value("j13", "image") == "none");
  CHECK(pipeline.problems().front().contains("more than 10 levels"));
}

TEST_CASE("references are followed to their key, over references, and spliced into lists") {
  Pipeline pipeline(
      {".s: {script: [a, b], deep: {key: v}}\n.t: {script: !reference [.s, script]}\n"
       "j: {script: [x, !reference [.t, script], [y]], image: !reference [.s, deep, key]}\n"
       "bad: {image: !reference [.s, none]}\n"});
  CHECK(pipeline.value("j", "image") == "v");
  CHECK(texts(pipeline.config->flatten(pipeline.config->lookup(pipeline.config->own_layers("j"), "script"))) ==
        Lines{"x", "a", "b", "y"});
  CHECK(pipeline.value("bad", "image") == "none");
  CHECK(pipeline.problems() == Lines{"4 !reference to what is not there; correct the names"});
}

TEST_CASE("a reference that leads to itself ends") {
  Pipeline pipeline({"a: {image: !reference [a, image]}\n"});
  CHECK(pipeline.value("a", "image") == "none");
  CHECK(pipeline.problems().front().contains("leads in a circle"));
}

}  // namespace paddock::ci::test
