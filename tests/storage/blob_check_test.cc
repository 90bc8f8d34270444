#include "storage/blob_check.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <thread>

#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace paddock {
namespace {

struct Fixture {
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  std::vector<UncheckedBlob> blobs;
  std::map<Digest, Result<Digest>> settled;
  std::vector<CheckProgress> progress;
  const std::thread::id here = std::this_thread::get_id();

  Digest add(std::string_view content, Digest::Algorithm algorithm = Digest::Algorithm::sha256) {
    const Digest digest = Digest::of(content, algorithm);
    const FileSystem::Path path = "/" + digest.hex();
    REQUIRE(write_file_durably(disk, path, content));
    blobs.push_back({digest, path, content.size()});
    return digest;
  }
  SettleBlob settle = [this](const UncheckedBlob& blob, const Result<Digest>& actual) -> Result<void> {
    REQUIRE(std::this_thread::get_id() == here);
    REQUIRE(settled.emplace(blob.digest, actual).second);
    return {};
  };
  OnProgress note = [this](const CheckProgress& now) -> Result<void> {
    REQUIRE(std::this_thread::get_id() == here);
    progress.push_back(now);
    return {};
  };
};

}  // namespace

TEST_CASE_METHOD(Fixture, "every file is hashed once, whatever its size and algorithm", "[blob_check]") {
  std::uint64_t bytes = 0;
  for (const std::size_t size : {0U, 1U, 1U << 20U, (1U << 20U) + 1U, (3U << 20U) - 1U}) {
    add(std::string(size, 'x'));
    add(std::string(size, 'y'), Digest::Algorithm::sha512);
    bytes += 2 * size;
  }
  REQUIRE(check_blobs(fs, blobs, GENERATE(0U, 1U, 3U, 50U), settle, note));
  CHECK(settled.size() == blobs.size());
  for (const auto& [digest, actual] : settled) CHECK(actual.value() == digest);
  CHECK(progress.front().bytes == 0);
  CHECK(progress.back().blobs == blobs.size());
  CHECK(progress.back().bytes == bytes);
  CHECK(progress.back().of_bytes == bytes);
}

TEST_CASE_METHOD(Fixture, "bytes that are not the digest's and files that cannot be read are told apart",
                 "[blob_check]") {
  const Digest good = add("good");
  const Digest wrong = add("wrong");
  REQUIRE(write_file_durably(disk, blobs.back().path, "wrung"));
  const Digest gone = add("gone");
  REQUIRE(disk.remove(blobs.back().path));
  const Digest refused = add("refused");
  fs.fail_path(blobs.back().path, ErrorCode::denied);
  REQUIRE(check_blobs(fs, blobs, 2, settle, note));
  CHECK(settled.at(good).value() == good);
  CHECK(settled.at(wrong).value() == Digest::of("wrung"));
  CHECK(settled.at(gone).error().code == ErrorCode::not_found);
  CHECK(settled.at(refused).error().code == ErrorCode::denied);
}

TEST_CASE_METHOD(Fixture, "a read that fails is an error of that file alone", "[blob_check]") {
  add("a");
  add("b");
  fs.fail_all(FaultFileSystem::Op::read);
  REQUIRE(check_blobs(fs, blobs, 2, settle, note));
  for (const auto& [digest, actual] : settled) CHECK(actual.error().code == ErrorCode::io);
}

TEST_CASE_METHOD(Fixture, "the first failure of whoever asked ends the check", "[blob_check]") {
  for (int i = 0; i < 20; ++i) add(std::to_string(i));
  int calls = 0;
  const auto refuse = [&]() -> Result<void> {
    ++calls;
    return fail(ErrorCode::no_space, Blame::us, "enough");
  };
  Result<void> done;
  SECTION("in settling") {
    done = check_blobs(fs, blobs, 3, [&](const auto&, const auto&) { return refuse(); }, note);
    CHECK(settled.empty());
  }
  SECTION("in progress, before anything is read") {
    done = check_blobs(fs, blobs, 3, settle, [&](const auto&) { return refuse(); });
    CHECK(fs.count(FaultFileSystem::Op::open) == 0);
  }
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::no_space);
  CHECK(calls == 1);
}

TEST_CASE_METHOD(Fixture, "with nothing to check nobody is called", "[blob_check]") {
  REQUIRE(check_blobs(fs, blobs, 3, settle, note));
  CHECK(progress.empty());
}

}  // namespace paddock
