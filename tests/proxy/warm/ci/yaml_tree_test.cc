#include "proxy/warm/ci/yaml_tree.h"

#include <catch2/catch.hpp>
#include <string>

namespace paddock::ci {

TEST_CASE("a document is read with its lines") {
  const YamlFile file("f.yml", "a: 1\nb:\n  - x\n  - {y: z}\nc:\n");
  REQUIRE(file.documents().size() == 1);
  const YamlNode& root = *file.documents().front();
  CHECK(root.scalar("a") == "1");
  REQUIRE(root.find("b") != nullptr);
  CHECK(root.find("b")->is_list());
  CHECK(root.find("b")->items[1]->find("y")->line == 4);
  CHECK(*root.find("b")->items[1]->file == "f.yml");
  CHECK(root.find("c")->kind == YamlNode::Kind::null);
  CHECK(root.find("d") == nullptr);
  CHECK(root.scalar("b").empty());
  CHECK_FALSE(file.problem());
}

TEST_CASE("words such as on and yes stay text") {
  const YamlFile file("f", "on: yes\n");
  CHECK(file.documents().front()->scalar("on") == "yes");
}

TEST_CASE("literal blocks are known, folded and quoted ones are not") {
  const YamlFile file("f", "a: |\n  x\nb: >-\n  y\nc: \"a | b\"\nd: |- # note\n  z\ne: a |\nf: !!str |+2\n    w\n");
  const YamlNode& root = *file.documents().front();
  CHECK(root.find("a")->literal);
  CHECK_FALSE(root.find("b")->literal);
  CHECK_FALSE(root.find("c")->literal);
  CHECK(root.find("d")->literal);
  CHECK_FALSE(root.find("e")->literal);
  CHECK(root.find("f")->literal);
}

TEST_CASE("a path of keys is followed") {
  const YamlFile file("f", "a: {b: {c: d}}\n");
  CHECK(file.documents().front()->find_path("a.b.c")->text == "d");
  CHECK(file.documents().front()->find_path("a.x.c") == nullptr);
}

TEST_CASE("aliases share a node, merge keys bring what is missing") {
  const YamlFile file("f",
                      "base: &b {image: one, tag: two}\nuse: {<<: *b, tag: mine}\nsame: *b\n"
                      "many: {<<: [*b, {tag: late, more: x}]}\n");
  const YamlNode& root = *file.documents().front();
  CHECK(root.find("same") == root.find("base"));
  CHECK(root.find("use")->find("image") == root.find("base")->find("image"));
  CHECK(root.find("use")->scalar("tag") == "mine");
  CHECK(root.find("many")->scalar("tag") == "two");
  CHECK(root.find("many")->scalar("more") == "x");
  CHECK(root.find("use")->find("<<") == nullptr);
}

TEST_CASE("of a key given twice the last counts") {
  const YamlFile file("f", "a: 1\na: 2\n");
  CHECK(file.documents().front()->scalar("a") == "2");
}

TEST_CASE("tags are kept") {
  const YamlFile file("f", "a: !reference [x, y]\nb: plain\n");
  CHECK(file.documents().front()->find("a")->tag == "!reference");
  CHECK(file.documents().front()->find("b")->tag.empty());
}

TEST_CASE("documents before a broken one are kept") {
  const YamlFile file("f", "a: 1\n---\nb: [\n");
  REQUIRE(file.documents().size() == 1);
  REQUIRE(file.problem());
  CHECK(file.problem()->line >= 2);
}

TEST_CASE("lines count from where the text begins in its file") {
  const YamlFile file("f", "a: 1\nb: [\n", 10);
  REQUIRE(file.problem());
  CHECK(file.problem()->line >= 11);
  CHECK(YamlFile("f", "a: 1\n", 10).documents().front()->find("a")->line == 10);
}

TEST_CASE("empty texts have no document worth a look") {
  CHECK(YamlFile("f", "").documents().empty());
  CHECK(YamlFile("f", "# only a comment\n").documents().empty());
}

TEST_CASE("what is left over after a document is named, and what was before it kept") {
  const auto* text = GENERATE(",", "[a],", "---\n- a\n---\n,\n", "{a: b},c");
  const YamlFile file("f", text);
  REQUIRE(file.problem());
  CHECK(file.problem()->message.contains("left over"));
  CHECK(file.documents().size() < 5);
}

TEST_CASE("a document of too many values is refused") {
  std::string text = "a: [";
  for (int i = 0; i < 250'000; ++i) text += "x,";
  const YamlFile file("f", text + "]\n");
  REQUIRE(file.problem());
  CHECK(file.problem()->message.contains("more than 200000 values"));
}

}  // namespace paddock::ci
