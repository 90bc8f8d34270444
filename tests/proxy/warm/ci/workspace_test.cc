#include "proxy/warm/ci/workspace.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

// A workspace over some files, and what it said when all is done.
struct Opened {
  explicit Opened(const std::map<std::string, std::string>& files, std::size_t limit = 100)
      : folder(files), workspace(collector, limit) {}

  const Source* load(const std::string& name, bool quiet = false) {
    return workspace.load(folder / name, folder.path(), quiet);
  }
  Lines problems() { return problems_of(std::move(collector).take()); }

  Folder folder;
  Collector collector{100};
  Workspace workspace;
};

}  // namespace

TEST_CASE("a file is read once, by whichever of its names") {
  Opened opened({{"a/f", "x"}});
  const Source* first = opened.load("a/f");
  REQUIRE(first != nullptr);
  CHECK(first->root == opened.folder.path());
  write_file(opened.folder / "a/f", "changed");
  CHECK(opened.load("a/../a/f") == first);
  CHECK(first->text == "x");
}

TEST_CASE("byte order marks and line ends are made uniform") {
  Opened opened({{"f",
                  "\xEF\xBB\xBF"
                  "a\r\nb\rc\nd\r"},
                 {"plain", "a\nb"}});
  CHECK(opened.load("f")->text == "a\nb\nc\nd\n");
  CHECK(opened.load("plain")->text == "a\nb");
}

TEST_CASE("what is no file says so, once") {
  Opened opened({{"folder/f", ""}});
  CHECK(opened.load("none") == nullptr);
  CHECK(opened.load("none") == nullptr);
  CHECK(opened.load("folder") == nullptr);
  CHECK(opened.problems() ==
        Lines{"0 not a regular file; name a file or a folder", "0 no such file; correct the name"});
}

TEST_CASE("a file over the limit or with NUL bytes is a problem only where somebody named it") {
  const std::map<std::string, std::string> files{{"big", std::string(101, 'x')}, {"nul", std::string("a\0b", 3)}};
  Opened quiet(files);
  CHECK(quiet.load("big", true) == nullptr);
  CHECK(quiet.load("nul", true) == nullptr);
  CHECK(quiet.problems().empty());
  Opened named(files);
  CHECK(named.load("big", true) == nullptr);
  CHECK(named.load("big") == nullptr);  // another file includes it
  CHECK(named.load("nul") == nullptr);
  CHECK(named.problems().size() == 2);
  CHECK(Opened({{"full", std::string(100, 'x')}}).load("full") != nullptr);
}

TEST_CASE("a YAML file is parsed once, and its problem told once") {
  Opened opened({{"f.yml", "a: 1\nb: [\n"}});
  const Source& source = *opened.load("f.yml");
  const YamlFile& file = opened.workspace.yaml(source);
  CHECK(&opened.workspace.yaml(source) == &file);
  CHECK(opened.problems().size() == 1);
}

TEST_CASE("a document within a file has that file's lines") {
  Opened opened({});
  const YamlFile& inner = opened.workspace.inner_yaml("Jenkinsfile", "a:\n  b: c\n", 40);
  CHECK(inner.documents().front()->find_path("a.b")->line == 41);
  CHECK(&opened.workspace.inner_yaml("Jenkinsfile", "x: y\n", 60) != &inner);
}

}  // namespace paddock::ci::test
