#include "proxy/warm/ci/walk.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

namespace fs = std::filesystem;

struct Walked {
  Lines files;
  Lines problems;
};

Walked walked(const Folder& folder, std::size_t limit = 1000, const ListFolder& list = list_folder) {
  Collector collector(100);
  Walked out;
  for (const fs::path& path : walk(folder.path(), limit, list, collector)) {
    out.files.push_back(path.lexically_relative(folder.path()).string());
  }
  for (const Problem& problem : std::move(collector).take().problems) out.problems.push_back(problem.message);
  return out;
}

}  // namespace

TEST_CASE("files are given in the order of their names, folders within") {
  const Folder folder({{"b", ""}, {"a/z", ""}, {"a/y/x", ""}, {"c", ""}});
  CHECK(walked(folder).files == Lines{"a/y/x", "a/z", "b", "c"});
}

TEST_CASE("version control's and package managers' folders are passed over, files of such names are not") {
  const Folder folder({{".git/config", ""}, {"a/node_modules/x", ""}, {".venv/x", ""}, {".github/w.yml", ""}});
  CHECK(walked(folder).files == Lines{".github/w.yml"});
  CHECK(walked(Folder({{"a/.git", ""}})).files == Lines{"a/.git"});
}

TEST_CASE("a folder with two names is walked once, without a word") {
  const Folder folder({{"a/f", ""}});
  fs::create_directory_symlink("a", folder / "b");
  const Walked found = walked(folder);
  CHECK(found.files.size() == 1);
  CHECK(found.problems.empty());
}

TEST_CASE("a link upwards is told, a link to nothing is not") {
  const Folder folder({{"a/f", ""}});
  fs::create_directory_symlink("..", folder / "a/up");
  fs::create_symlink("nowhere", folder / "dangling");
  const Walked found = walked(folder);
  CHECK(found.files == Lines{"a/f"});
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems.front().contains("a link to a folder that holds it"));
}

TEST_CASE("a walk ends at its limit and says so") {
  const Folder folder({{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}});
  const Walked found = walked(folder, 3);
  CHECK(found.files.size() == 2);
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems.front().contains("more than 3 files"));
}

TEST_CASE("a folder 65 levels down is left out and told") {
  std::string path;
  for (int i = 0; i < 64; ++i) path += "d/";
  const Folder folder({{path + "f", ""}, {path + "d/g", ""}});
  const Walked found = walked(folder);
  CHECK(found.files == Lines{path + "f"});
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems.front().contains("deeper than 64 folders"));
}

TEST_CASE("a folder that cannot be listed costs only itself") {
  const Folder folder({{"a/f", ""}, {"b/g", ""}});
  const Walked found = walked(folder, 1000, [](const fs::path& path, std::error_code& error) {
    if (path.filename() != "a") return list_folder(path, error);
    error = std::make_error_code(std::errc::io_error);
    return std::vector<fs::path>();
  });
  CHECK(found.files == Lines{"b/g"});
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems.front().contains("the folder cannot be read"));
}

}  // namespace paddock::ci::test
