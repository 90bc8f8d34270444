#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/proxy/cli/command_line.h"
#include "tests/support/temporary_folder.h"

namespace paddock::test {
namespace {

class Files {
 public:
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  [[nodiscard]] std::string path(const std::string& name = "") const { return (folder_ / name).string(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("scan lists images and what is unresolved") {
  const Files files;
  files.write("a.sh", "docker pull alpine:3.19\ndocker pull $1\n");
  const auto outcome = paddock({"scan", files.path()});
  CHECK(outcome.status == 0);
  CHECK(outcome.out.contains("docker.io/library/alpine:3.19"));
  CHECK(outcome.out.contains("a.sh:2"));
  CHECK(outcome.out.contains("1 CI files, 1 images, 1 different; 1 unresolved, 0 problems"));
  CHECK(outcome.err.empty());
}

TEST_CASE("scan --json is the whole report") {
  const Files files;
  files.write("a.sh", "docker pull alpine:3.19\ndocker pull $1\n");
  const auto outcome = paddock({"scan", "--json", files.path("a.sh")});
  const auto report = nlohmann::json::parse(outcome.out);
  CHECK(report["images"][0]["reference"] == "docker.io/library/alpine:3.19");
  CHECK(report["images"][0]["line"] == 1);
  CHECK(report["images"][0]["format"] == "shell");
  CHECK(report["unresolved"][0]["kind"] == "unset-variable");
  CHECK(report["problems"].empty());
  CHECK(report["files"] == 1);
}

TEST_CASE("a problem is one line on stderr, and exit status 1") {
  const Files files;
  files.write("a.yml", "a: [\n");
  files.write("b.sh", "docker pull alpine:3.19\n");
  const auto outcome = paddock({"scan", files.path()});
  CHECK(outcome.status == 1);
  CHECK(is_one_line(outcome.err));
  CHECK(outcome.err.contains("a.yml:"));
  CHECK(outcome.out.contains("docker.io/library/alpine:3.19"));
  CHECK(paddock({"scan", files.path("absent")}).status == 1);
  CHECK(paddock({"scan"}).status == 2);
}

}  // namespace paddock::test
