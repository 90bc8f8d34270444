#include "proxy/host/prepull/private_folder.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

namespace fs = std::filesystem;

struct Base {
  TemporaryFolder folder;

  Base() { ::setenv("TMPDIR", folder.path().c_str(), 1); }
  ~Base() { ::unsetenv("TMPDIR"); }
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
};

TEST_CASE("a folder is its owner's alone, and goes with its object") {
  const Base base;
  fs::path path;
  {
    const auto folder = PrivateFolder::make().value();
    path = folder.path();
    CHECK(path.parent_path() == base.folder.path());
    CHECK(fs::status(path).permissions() == fs::perms::owner_all);
    CHECK(folder.write("a/b", "content").value() == (path / "a/b").string());
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("what a process that was killed has left is removed, and nothing else") {
  const Base base;
  const auto living = PrivateFolder::make().value();
  const auto left = base.folder / "paddock-prepull-killed", other = base.folder / "paddock-other";
  for (const auto& path : {left, other}) {
    fs::create_directory(path);
    std::ofstream(path / "secret") << "password";
  }
  fs::create_symlink(other, base.folder / "paddock-prepull-link");
  const auto next = PrivateFolder::make().value();
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(other / "secret"));
  CHECK(fs::exists(living.path()));
  CHECK(fs::exists(next.path()));
}

}  // namespace
}  // namespace paddock
