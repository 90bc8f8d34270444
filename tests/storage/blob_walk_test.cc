#include "storage/blob_walk.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "storage/posix_file_system.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/rendezvous.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Path = std::filesystem::path;

struct Fixture {
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  const DataPaths paths{"/data"};

  struct Seen {
    std::map<Digest, std::uint64_t> blobs;
    std::vector<Digest> unknown;
    std::map<std::string, std::string> strays;  // why, by path below blobs/
  };

  void put(const Path& path, std::string_view content) {
    REQUIRE(disk.create_directories(path.parent_path()));
    REQUIRE(write_file_durably(disk, path, content));
  }
  Digest put_blob(std::string_view content, Digest::Algorithm algorithm = Digest::Algorithm::sha256) {
    const Digest digest = Digest::of(content, algorithm);
    put(paths.blob(digest), content);
    return digest;
  }
  Seen walk(unsigned threads = 4) {
    Seen seen;
    CHECK(walk_blobs(fs, paths, threads, [&](const FoundBlobs& found) -> Result<void> {
      for (const auto& blob : found.blobs) CHECK(seen.blobs.emplace(blob.digest, blob.size).second);
      seen.unknown.insert(seen.unknown.end(), found.unknown.begin(), found.unknown.end());
      for (const auto& stray : found.strays) {
        seen.strays.emplace(stray.path.lexically_relative(paths.blobs()).string(), stray.why);
      }
      return {};
    }));
    return seen;
  }
};

// A name like a folder of the store's that is not there.
std::string unused_byte(const Path& folder) { return std::filesystem::exists(folder / "00") ? "01" : "00"; }

}  // namespace

TEST_CASE_METHOD(Fixture, "every blob is visited once, with its size", "[blob_walk]") {
  std::map<Digest, std::uint64_t> expected;
  for (int i = 0; i < 500; ++i) {
    const std::string content(static_cast<std::size_t>(i), 'x');
    const auto algorithm = i % 3 == 0 ? Digest::Algorithm::sha512 : Digest::Algorithm::sha256;
    expected.emplace(put_blob(content, algorithm), i);
  }
  for (const unsigned threads : {1U, 4U}) {
    const auto seen = walk(threads);
    CHECK(seen.blobs == expected);
    CHECK(seen.strays.empty());
  }
}

TEST_CASE_METHOD(Fixture, "no folder of blobs holds none", "[blob_walk]") {
  CHECK(walk().blobs.empty());
  REQUIRE(disk.create_directories(paths.blobs()));
  CHECK(walk().blobs.empty());
}

TEST_CASE_METHOD(Fixture, "what is not a blob in its place is a stray, at every depth", "[blob_walk]") {
  const Digest good = put_blob("abc");
  const std::string hex = good.hex(), first = hex.substr(0, 2), second = hex.substr(2, 2);
  const Path blobs = paths.blobs();
  for (const char* name : {"notes", "sha256/notes", "md5/aa/bb/0123"}) put(blobs / name, "");
  put(blobs / "sha256" / first / "notes", "");
  put(blobs / "sha256" / first / second / "notes", "");
  put(blobs / "sha256" / first / second / "folder" / "below", "");
  put(blobs / "sha256" / first / "other" / hex, "abc");
  const std::string wrong = second == "00" ? "01" : "00";
  put(blobs / "sha256" / first / wrong / hex, "abc");
  const auto seen = walk();
  CHECK(seen.blobs == std::map<Digest, std::uint64_t>{{good, 3}});
  const std::string misnamed = "its name is not a digest in its place", foreign = "not the store's";
  CHECK(seen.strays == std::map<std::string, std::string>{
                           {"notes", foreign},
                           {"sha256/notes", foreign},
                           {"md5", foreign},
                           {"sha256/" + first + "/notes", foreign},
                           {"sha256/" + first + "/" + second + "/notes", misnamed},
                           {"sha256/" + first + "/" + second + "/folder", foreign},
                           {"sha256/" + first + "/other", foreign},
                           {"sha256/" + first + "/" + wrong + "/" + hex, misnamed},
                       });
}

TEST_CASE_METHOD(Fixture, "folders are read at the same time, and told one after the other", "[blob_walk]") {
  for (int i = 0; i < 100; ++i) put_blob(std::to_string(i));
  Rendezvous two(2);
  fs.on_list([&](const Path& path) {
    if (path.parent_path().filename() == "sha256") two.meet();
  });
  std::atomic<int> visitors{0};
  CHECK(walk_blobs(fs, paths, 4, [&](const FoundBlobs& found) -> Result<void> {
    CHECK(++visitors == 1);
    for (const auto& blob : found.blobs) CHECK(disk.remove(paths.blob(blob.digest)));
    --visitors;
    return {};
  }));
  CHECK(two.met());
  CHECK(walk().blobs.empty());
}

TEST_CASE_METHOD(Fixture, "what the disk does not know of is told apart, if it has a blob's name", "[blob_walk]") {
  const Digest good = put_blob("good"), bad = put_blob("bad");
  const Path stray = paths.blob(good).parent_path() / "notes";
  put(stray, "");
  fs.hide_path(paths.blob(bad));
  fs.hide_path(stray);
  const auto seen = walk();
  CHECK(seen.blobs == std::map<Digest, std::uint64_t>{{good, 4}});
  CHECK(seen.unknown == std::vector<Digest>{bad});
  CHECK(seen.strays.empty());
}

TEST_CASE("nothing behind a link is the walk's business", "[blob_walk]") {
  const TemporaryFolder folder;
  PosixFileSystem fs;
  const DataPaths paths(folder / "data");
  const Digest digest = Digest::of("abc");
  const Path elsewhere = folder / "elsewhere", leaf = paths.blob(digest).parent_path();
  REQUIRE(fs.create_directories(elsewhere / "aa"));
  REQUIRE(write_file_durably(fs, elsewhere / "aa" / "precious", "x"));
  REQUIRE(fs.create_directories(leaf));
  std::vector<Path> strays;
  const auto walk = [&] {
    return walk_blobs(fs, paths, 2, [&](const FoundBlobs& found) -> Result<void> {
      for (const auto& stray : found.strays) strays.push_back(stray.path);
      return {};
    });
  };
  SECTION("one of any name is a stray, at every depth") {
    const std::vector<Path> links{paths.blobs() / "link", paths.blobs() / "sha256" / "link",
                                  leaf.parent_path() / "link", leaf / "link", paths.blob(digest)};
    for (const auto& link : links) std::filesystem::create_symlink(elsewhere, link);
    CHECK(walk());
    CHECK_THAT(strays, Catch::UnorderedEquals(links));
  }
  SECTION("in place of a folder of the store's it ends the walk") {
    const Path first = leaf.parent_path(), algorithm = first.parent_path();
    for (const Path& link :
         {paths.blobs() / "sha512", algorithm / unused_byte(algorithm), first / unused_byte(first)}) {
      CAPTURE(link);
      std::filesystem::create_symlink(elsewhere, link);
      const auto done = walk();
      REQUIRE_FALSE(done);
      CHECK(done.error().context.find(link.string() + " must be a folder") != std::string::npos);
      std::filesystem::remove(link);
    }
    CHECK(strays.empty());
  }
}

TEST_CASE_METHOD(Fixture, "a walk ends with the first failure", "[blob_walk]") {
  for (int i = 0; i < 100; ++i) put_blob(std::to_string(i));
  int visits = 0;
  const auto done = walk_blobs(fs, paths, 1, [&](const FoundBlobs& found) -> Result<void> {
    if (found.blobs.empty()) return {};
    ++visits;
    return fail(ErrorCode::no_space, Blame::us, "no room");
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::no_space);
  CHECK(visits == 1);
}

TEST_CASE_METHOD(Fixture, "a folder that the disk does not list, or know of, ends the walk", "[blob_walk]") {
  const Path leaf = paths.blob(put_blob("abc")).parent_path(), first = leaf.parent_path();
  const bool known = GENERATE(true, false);
  for (const Path& folder : {leaf, first, first.parent_path()}) {
    CAPTURE(folder);
    fs.clear();
    known ? fs.fail_path(folder) : fs.hide_path(folder);
    const auto done = walk_blobs(fs, paths, 2, [](const FoundBlobs&) { return Result<void>(); });
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::io);
  }
  fs.clear();
  fs.fail_path(paths.blobs());
  CHECK_FALSE(walk_blobs(fs, paths, 2, [](const FoundBlobs&) { return Result<void>(); }));
}

}  // namespace paddock
