// The catalog's own files damaged in every way we can think of: never a crash, everything there afterwards.
#include "tests/storage/recovery_fixture.h"

namespace paddock {
namespace {

namespace stdfs = std::filesystem;

struct Fixture : RecoveryFixture {
  Fixture() {
    make_store();
    stdfs::copy(paths.catalog(), pristine, stdfs::copy_options::recursive);
    for (const auto& path : files_under(pristine)) names.push_back(path.filename().string());
  }

  const stdfs::path pristine = folder / "pristine";
  std::vector<std::string> names;

  void restore() {
    stdfs::remove_all(paths.catalog());
    stdfs::copy(pristine, paths.catalog(), stdfs::copy_options::recursive);
  }
  bool has(std::string_view part) const {
    return std::ranges::any_of(names, [&](const auto& name) { return name.find(part) != std::string::npos; });
  }
  void flip_bytes(std::uint64_t places);
  int rebuilds = 0;
  void check_recovers() {
    {
      const auto run = start();
      rebuilds += run->report.rebuilt ? 1 : 0;
      check_all_there(*run);
    }
    const auto again = start();
    CHECK_FALSE(again->report.rebuilt);
    CHECK(again->report.added_rows + again->report.erased_rows == 0);
  }
};

void flip(const stdfs::path& path, std::uint64_t offset, unsigned char mask) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ mask));
}

// Of each file in turn one byte, at so many places.
void Fixture::flip_bytes(std::uint64_t places) {
  for (const auto& name : names) {
    const std::uint64_t size = stdfs::file_size(pristine / name);
    const std::uint64_t count = std::min(size, places);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t offset = (i * size + size / 2) / count;
      CAPTURE(name, offset);
      restore();
      flip(paths.catalog() / name, offset, i % 2 == 0 ? 0x01 : 0xff);
      check_recovers();
    }
  }
}

}  // namespace

TEST_CASE_METHOD(Fixture, "flipped bytes in any file of the catalog cost nothing", "[recovery][damage]") {
  REQUIRE(has(".sst"));
  REQUIRE(has(".log"));
  REQUIRE(has("MANIFEST"));
  REQUIRE(has("CURRENT"));
  flip_bytes(10);
  CHECK(rebuilds > 10);  // or nothing was damaged
}

TEST_CASE_METHOD(Fixture, "flipped bytes at many places cost nothing", "[.][slow]") { flip_bytes(150); }

TEST_CASE_METHOD(Fixture, "any missing file of the catalog costs nothing", "[recovery][damage]") {
  for (const auto& name : names) {
    CAPTURE(name);
    restore();
    stdfs::remove(paths.catalog() / name);
    check_recovers();
  }
}

TEST_CASE_METHOD(Fixture, "any file of the catalog cut short or emptied costs nothing", "[recovery][damage]") {
  for (const auto& name : names) {
    for (const std::uint64_t part : {0, 1, 2}) {
      CAPTURE(name, part);
      restore();
      const auto path = paths.catalog() / name;
      const auto size = stdfs::file_size(path);
      stdfs::resize_file(path, part == 2 && size > 0 ? size - 1 : size * part / 2);
      check_recovers();
    }
  }
}

TEST_CASE_METHOD(Fixture, "a catalog overwritten with noise costs nothing", "[recovery][damage]") {
  for (const auto& name : names) {
    std::string noise(stdfs::file_size(paths.catalog() / name), '\0');
    unsigned state = 12345;
    for (char& byte : noise) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    write(paths.catalog() / name, noise);
  }
  check_recovers();
  CHECK(files_under(folder / "data" / "catalog").size() > 3);
}

TEST_CASE_METHOD(Fixture, "a broken catalog is kept aside for whoever wants to look", "[recovery][damage]") {
  for (int i = 0; i < 2; ++i) {
    write(paths.catalog() / "CURRENT", "nonsense");
    clock.advance(std::chrono::seconds(1));
    CHECK(start()->report.rebuilt);
  }
  std::size_t kept = 0;
  for (const auto& entry : stdfs::directory_iterator(paths.root())) {
    kept += entry.path().filename().string().starts_with("catalog.broken-") ? 1 : 0;
  }
  CHECK(kept == 1);
}

}  // namespace paddock
