// The corpus: CI files as they occur, and beside each what a careful reader finds in it. NAME.expected for a file,
// "expected" in a folder. A line is [FILE<TAB>]LINE<TAB>REFERENCE, or [FILE<TAB>]LINE<TAB>?<TAB>KIND for what cannot be
// resolved.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

namespace fs = std::filesystem;
using Expected = std::multiset<std::string>;

const fs::path folder = fs::path(PADDOCK_SOURCE_DIR) / "tests/proxy/warm/ci";

Expected read_expected(const fs::path& path) {
  Expected lines;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.insert(line);
  }
  return lines;
}

Expected found_in(const fs::path& path, const fs::path& base, bool with_files) {
  const ScanReport report = scan_paths({path});
  Expected lines;
  for (const auto& problem : report.problems) lines.insert("problem: " + problem.message);
  const auto place = [&](const Place& at) {
    const auto name = fs::path(at.file).lexically_relative(base).string();
    return (with_files ? name + "\t" : std::string()) + std::to_string(at.line) + "\t";
  };
  for (const auto& finding : report.findings) lines.insert(place(finding.place) + finding.reference);
  for (const auto& item : report.unresolved)
    lines.insert(place(item.place) + "?\t" + std::string(to_string(item.kind)));
  return lines;
}

struct Tally {
  std::size_t cases = 0, files = 0, expected = 0, found = 0, right = 0, unresolved = 0;

  void add(const std::string& name, const Expected& wanted, const Expected& got) {
    Expected missing, surplus;
    std::ranges::set_difference(wanted, got, std::inserter(missing, missing.end()));
    std::ranges::set_difference(got, wanted, std::inserter(surplus, surplus.end()));
    for (const auto& line : missing) UNSCOPED_INFO(name << ": missed " << line);
    for (const auto& line : surplus) UNSCOPED_INFO(name << ": should not be " << line);
    CHECK((missing.empty() && surplus.empty()));
    ++cases;
    expected += wanted.size();
    found += got.size();
    right += wanted.size() - missing.size();
    unresolved += static_cast<std::size_t>(
        std::ranges::count_if(wanted, [](const std::string& line) { return line.contains("\t?\t"); }));
  }
};

std::size_t count_files(const fs::path& path) {
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) files += entry.is_regular_file() ? 1 : 0;
  return files;
}

}  // namespace

TEST_CASE("every image of the corpus is found, and nothing else") {
  Tally tally;
  std::set<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder / "corpus")) entries.insert(entry.path());
  for (const fs::path& path : entries) {
    const std::string name = path.filename().string();
    if (path.extension() == ".expected") continue;
    const bool several = fs::is_directory(path);
    const fs::path expected = several ? path / "expected" : fs::path(path.string() + ".expected");
    REQUIRE(fs::exists(expected));
    tally.files += several ? count_files(path) - 1 : 1;
    tally.add(name, read_expected(expected), found_in(path, several ? path : path.parent_path(), several));
  }
  const auto share = [](std::size_t part, std::size_t whole) { return 100.0 * double(part) / double(whole); };
  std::cout << "corpus: " << tally.files << " files in " << tally.cases << " cases, " << tally.expected
            << " findings expected (" << tally.unresolved << " of them unresolved), " << tally.found
            << " found; precision " << share(tally.right, tally.found) << " %, recall "
            << share(tally.right, tally.expected) << " %\n";
  CHECK(tally.files >= 40);
  CHECK(tally.right == tally.expected);
  CHECK(tally.right == tally.found);
}

TEST_CASE("the whole corpus scanned at once finds the same as its parts") {
  std::size_t expected = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "corpus")) {
    const auto name = entry.path().filename();
    if (name == "expected" || name.extension() == ".expected") expected += read_expected(entry.path()).size();
  }
  const ScanReport report = scan_paths({folder / "corpus"});
  CHECK(report.findings.size() + report.unresolved.size() == expected);
  CHECK(problems_of(report).empty());
}

TEST_CASE("the examples for CI systems name the images that they say") {
  const fs::path examples = fs::path(PADDOCK_SOURCE_DIR) / "deploy/ci";
  for (const auto* name : {"gitlab-ci.yml", "github-actions.yml", "Jenkinsfile"}) {
    Tally tally;
    const auto wanted = read_expected(folder / "examples" / (std::string(name) + ".expected"));
    REQUIRE_FALSE(wanted.empty());
    tally.add(name, wanted, found_in(examples / name, examples, false));
  }
}

}  // namespace paddock::ci::test
