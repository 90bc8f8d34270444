// Files made to hurt: each costs little, is told with its place, and leaves the other files' findings as they are.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/proxy/warm/ci/scan_fixture.h"

namespace paddock::ci::test {
namespace {

namespace fs = std::filesystem;

const std::string good = "test:\n  image: alpine:3.19\n  script: [ls]\n";

std::string repeated(std::size_t count, const std::string& text) {
  std::string out;
  out.reserve(count * text.size());
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// The hostile file beside a good one: its problem is told, and the good one's image found.
void told_and_survived(const std::string& name, const std::string& text, const std::string& problem, int line = -1) {
  INFO(name);
  const Folder folder({{name, text}, {"good.gitlab-ci.yml", good}});
  const auto begin = std::chrono::steady_clock::now();
  const ScanReport report = folder.scan();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
  INFO(Catch::StringMaker<Lines>::convert(problems_of(report)));
  CHECK(has_problem(report, problem));
  if (line >= 0) CHECK(std::ranges::any_of(report.problems, [&](const Problem& one) { return one.line == line; }));
  CHECK(std::ranges::any_of(report.findings, [](const ImageFinding& finding) {
    return finding.place.file.ends_with("good.gitlab-ci.yml") && finding.place.line == 2;
  }));
}

}  // namespace

TEST_CASE("broken YAML is told with its line") {
  told_and_survived("a.yml", "a: b\nc: [1, 2\nd: e\n", "not YAML");
  told_and_survived("a.yml", "image: x\n\tservices: y\n", "not YAML", 2);
  told_and_survived("a.yml", "a: *nobody\n", "not YAML");
}

TEST_CASE("a YAML bomb is refused by its expanded size") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(9, before + ", ") + before + "]\n";
  }
  told_and_survived("bomb.yml", bomb, "aliases expand to more than");
}

TEST_CASE("merge keys cannot multiply either") {
  std::string text = "m0: &m0 {k: v}\n";
  for (int i = 1; i < 3000; ++i) {
    const std::string number = std::to_string(i);
    text += "m" + number + ": &m" + number + " {<<: *m" + std::to_string(i - 1) + ", k" + number + ": v}\n";
  }
  told_and_survived("merges.yml", text, "nested deeper than 64 levels with its aliases");
}

TEST_CASE("an anchor that holds itself is a problem, not a loop") {
  told_and_survived("loop.yml", "a: &a\n  b: 1\n  image: *a\n", "holds an alias to itself", 3);
  told_and_survived("loop.yml", "a: &a [*a]\n", "holds an alias to itself", 1);
  told_and_survived("loop.yml", "a: &a {<<: *a, k: v}\n", "holds an alias to itself", 1);
}

TEST_CASE("deep nesting ends with a message") {
  told_and_survived("deep.yml", repeated(100'000, "["), "");
  told_and_survived("deep.yml", repeated(100'000, "{a: "), "");
  told_and_survived("deep.yml", repeated(50'000, "- "), "nested deeper");
  told_and_survived("deep.json", "{\"apiVersion\": " + repeated(70, "[") + repeated(70, "]") + "}", "nested deeper");
}

TEST_CASE("a file over the limit is left out, and said where its name promises more") {
  const Folder folder({{"good.gitlab-ci.yml", good}});
  for (const auto* name : {"big.yml", "model.dat"}) {
    write_file(folder / name, "");
    fs::resize_file(folder / name, 100U << 20U);  // sparse: no disk, no memory
  }
  const ScanReport report = folder.scan();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems.front().file.ends_with("big.yml"));
  CHECK(report.problems.front().message.contains("larger than 2097152 bytes"));
  CHECK(report.findings.size() == 1);
  CHECK(has_problem(scan_paths({folder / "model.dat"}), "larger than 2097152 bytes"));
}

TEST_CASE("binary files are left out") {
  const Folder folder(
      {{"data.yml", std::string("image: a\0b\n", 11)}, {"blob", std::string("a\0b", 3)}, {"good.gitlab-ci.yml", good}});
  const ScanReport report = folder.scan();
  CHECK(report.findings.size() == 1);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems.front().message.contains("NUL bytes"));
}

TEST_CASE("bytes that are no UTF-8 do no harm") {
  CHECK(scan_lines("a.sh", "# \xff\xfe caf\xe9\ndocker pull alpine:3.19\n") ==
        Lines{"2 docker.io/library/alpine:3.19"});
  CHECK(scan_lines("a.sh", "docker pull al\xffpine\n") == Lines{"1 ? not-a-name"});
  const ScanReport report = scan_text("a.gitlab-ci.yml", "a:\n  image: \xff\xff\n  script: [x]\n");
  CHECK(report.findings.empty());
}

TEST_CASE("a loop of links is told once and left") {
  const Folder folder({{"sub/good.gitlab-ci.yml", good}});
  fs::create_directory_symlink("..", folder / "sub/up");
  fs::create_symlink("self", folder / "self");
  const ScanReport report = folder.scan();
  CHECK(report.findings.size() == 1);
  CHECK(has_problem(report, "a link to a folder that holds it"));
  CHECK(has_problem(report, "cannot be followed"));
}

TEST_CASE("a folder that cannot be read is told, and the others scanned") {
  const Folder folder({{"closed/a.gitlab-ci.yml", good}, {"open/a.gitlab-ci.yml", good}});
  ScanOptions options;
  options.list = [](const fs::path& path, std::error_code& error) {
    if (path.filename() != "closed") return list_folder(path, error);
    error = std::make_error_code(std::errc::permission_denied);
    return std::vector<fs::path>();
  };
  const ScanReport report = folder.scan(options);
  CHECK(report.findings.size() == 1);
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems.front().file.ends_with("closed"));
  CHECK(report.problems.front().message.contains("check its permissions"));
}

TEST_CASE("circles in extends and includes are told with their place") {
  told_and_survived("a.gitlab-ci.yml", ".a:\n  extends: .b\n.b:\n  extends: .a\njob:\n  extends: .a\n  script: [x]\n",
                    "extends itself");
  told_and_survived("a.gitlab-ci.yml", "include: a.gitlab-ci.yml\njob:\n  script: [x]\n", "includes itself");
  told_and_survived("a.gitlab-ci.yml",
                    "a:\n  image: !reference [b, image]\n  script: [x]\nb:\n  image: !reference [a, image]\n",
                    "leads in a circle");
  const Folder pair({{"a.yml", "include: b.yml\na:\n  image: alpine:1\n  script: [x]\n"},
                     {"b.yml", "include: a.yml\nb:\n  image: alpine:2\n  script: [x]\n"}});
  CHECK(has_problem(pair.scan(), "includes itself"));
  CHECK(pair.lines() == Lines{"a.yml:3 docker.io/library/alpine:1", "b.yml:3 docker.io/library/alpine:2"});
}

TEST_CASE("variables that name each other end as unresolved") {
  CHECK(scan_lines("a.gitlab-ci.yml", "variables:\n  A: $B\n  B: $A\njob:\n  image: $A\n  script: [x]\n") ==
        Lines{"5 ? expression"});
  std::string text = "variables:\n  V0: x\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "V" + std::to_string(i - 1);
    text += "  V" + std::to_string(i) + ": ${" + before + "}$" + before + "${" + before + "}\n";
  }
  CHECK(scan_lines("a.gitlab-ci.yml", text + "job:\n  image: $V39\n  script: [x]\n") == Lines{"43 ? expression"});
  std::string doubling = "A=xx\n";
  for (int i = 0; i < 60; ++i) doubling += "A=$A$A\n";
  CHECK(scan_lines("a.sh", doubling + "docker pull $A\n") == Lines{"62 ? expression"});
}

TEST_CASE("more combinations than can be looked at are said to be too many") {
  std::string matrix = "on: push\njobs:\n  a:\n    strategy:\n      matrix:\n";
  for (const char axis : {'a', 'b', 'c'}) matrix += std::string("        ") + axis + ": [1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
  matrix += "    container: alpine:${{ matrix.a }}\n    steps: []\n";
  const auto lines = scan_lines("w.yml", matrix);
  CHECK(std::ranges::any_of(lines, [](const std::string& line) { return line.ends_with("? too-many"); }));
  std::string loops = "for a in 1 2 3 4 5 6 7 8 9; do for b in 1 2 3 4 5 6 7 8 9; do for c in 1 2 3 4 5 6 7 8 9; do\n";
  CHECK(scan_lines("a.sh", loops + "docker pull x:$a.$b.$c\ndone; done; done\n") == Lines{"2 ? too-many"});
}

TEST_CASE("very long lines and many findings are bounded") {
  CHECK(scan_lines("a.sh", "echo " + std::string(1U << 20U, 'x') + "\ndocker pull alpine:3.19\n") ==
        Lines{"2 docker.io/library/alpine:3.19"});
  CHECK(scan_lines("a.sh", "docker pull " + std::string(1U << 20U, 'x') + "\n") == Lines{"1 ? expression"});
  std::string many = "#!/bin/sh\n";
  for (int i = 0; i < 500; ++i) many += "docker pull alpine:" + std::to_string(i) + "\n";
  const Folder folder({{"many.sh", many}});
  ScanOptions options;
  options.findings_limit = 100;
  const ScanReport report = folder.scan(options);
  CHECK(report.findings.size() == 100);
  CHECK(has_problem(report, "more than 100 findings"));
}

TEST_CASE("quotes, brackets and marks that never close end with the file") {
  for (const std::string text : {"docker pull \"alpine", "docker pull $(", "docker pull ${", "X=(", "cat <<EOF\ndocker",
                                 "docker pull `", "docker run \\", "docker pull ${{", "docker pull $", "case x in"}) {
    INFO(text);
    CHECK(problems_of(scan_text("a.sh", text)).empty());
    CHECK(problems_of(scan_text("Jenkinsfile", "pipeline { agent { docker '" + text)).empty());
    CHECK(problems_of(scan_text("a.md", "```\n" + text)).empty());
    CHECK(problems_of(scan_text("Dockerfile", "FROM " + text)).empty());
    CHECK(problems_of(scan_text("Dockerfile", "FROM a\nRUN <<EOF " + text)).empty());
  }
  CHECK(scan_lines("a.sh", repeated(20'000, "$(") + "docker pull x").size() <= 1);
  CHECK(scan_lines("a.sh", "docker pull " + repeated(20'000, "${A:-")) == Lines{"1 ? expression"});
  CHECK(scan_lines("w.yml", "on: x\njobs:\n  a:\n    container: ${{ " + repeated(20'000, "(") +
                                " }}\n    steps: []\n") == Lines{"4 ? expression"});
}

TEST_CASE("workflows that call each other end") {
  const std::string call = "on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/";
  const Folder folder({{".github/workflows/a.yml", call + "b.yml\n"}, {".github/workflows/b.yml", call + "a.yml\n"}});
  CHECK(has_problem(folder.scan(), "call each other too often"));
}

TEST_CASE("values that multiply end as too many") {
  std::string words, copies;
  for (int i = 0; i < 500; ++i) words += " w" + std::to_string(i);
  for (int i = 0; i < 1000; ++i) copies += "a" + std::to_string(i) + "=$X\n";
  const std::string loop = "for i in" + words + "; do X=" + std::string(3000, 'x') + "$i; done\n";
  CHECK(scan_lines("a.sh", loop + copies + "docker pull $X\n") == Lines{"1002 ? too-many"});
}

TEST_CASE("an array named very often costs no more than a long command") {
  const std::string items = "a=(" + repeated(1000, "x ") + ")\n";
  CHECK(scan_lines("a.sh", items + "docker run " + repeated(100'000, "\"${a[@]}\" ") + "\n") ==
        Lines{"2 docker.io/library/x:latest"});
}

}  // namespace paddock::ci::test
