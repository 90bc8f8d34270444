#include "storage/partial_blob.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/storage/partial_blob_fixture.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

TEST_CASE("a blob filled in order is verified and then readable whole") {
  Fill fill(3 * hold_back);
  CHECK(fill.blob().state() == State::filling);
  for (std::uint64_t at = 0; at < fill.content.size(); at += 10'000) {
    REQUIRE(fill.write(at, std::min<std::uint64_t>(at + 10'000, fill.content.size())));
  }
  CHECK(fill.blob().contiguous() == fill.content.size());
  REQUIRE(fill.blob().verify());
  CHECK(fill.blob().state() == State::verified);
  CHECK(fill.blob().readable(0) == fill.content.size());
  CHECK(fill.in_file() == fill.content);
  CHECK(fill.blob().verify());  // again: nothing new
  fill.blob().mark_committed();
  CHECK(fill.blob().state() == State::committed);
  CHECK(fill.blob().verify());
}

TEST_CASE("hashing in order never reads back from the file") {
  Fill fill(100'000);
  fill.fs.fail_all(FaultFileSystem::Op::read);
  REQUIRE(fill.write(0, 40'000));
  REQUIRE(fill.write(40'000, 100'000));
  CHECK(fill.blob().verify());
}

TEST_CASE("the last bytes are held back until the digest is right") {
  Fill fill(2 * hold_back + 10);
  REQUIRE(fill.write(0, 2 * hold_back));
  CHECK(fill.blob().readable(0) == hold_back + 10);
  REQUIRE(fill.write(2 * hold_back, 2 * hold_back + 10));
  CHECK(fill.blob().readable(0) == hold_back + 10);
  CHECK(fill.blob().readable(hold_back + 10) == 0);
  REQUIRE(fill.blob().verify());
  CHECK(fill.blob().readable(hold_back + 10) == hold_back);
}

TEST_CASE("a blob no larger than what is held back is invisible until verified") {
  const auto length = GENERATE(std::size_t{1}, std::size_t{100}, std::size_t{hold_back});
  Fill fill(length, GENERATE(true, false));
  REQUIRE(fill.write(0, length));
  CHECK(fill.blob().readable(0) == 0);
  REQUIRE(fill.blob().verify());
  CHECK(fill.blob().readable(0) == length);
}

TEST_CASE("while the size is unknown, what is held back counts from the furthest byte") {
  Fill fill(4 * hold_back, false);
  REQUIRE(fill.write(0, hold_back));
  CHECK(fill.blob().readable(0) == 0);
  REQUIRE(fill.write(hold_back, 2 * hold_back));
  CHECK(fill.blob().readable(0) == hold_back);
  REQUIRE(fill.blob().set_size(2 * hold_back + 1));
  CHECK(fill.blob().readable(0) == hold_back + 1);
}

TEST_CASE("readable counts from the offset to the end of its own run") {
  Fill fill(10 * hold_back);
  REQUIRE(fill.write(1000, 2000));
  CHECK(fill.blob().readable(0) == 0);
  CHECK(fill.blob().readable(1000) == 1000);
  CHECK(fill.blob().readable(1999) == 1);
  CHECK(fill.blob().readable(2000) == 0);
  CHECK(fill.blob().readable(UINT64_MAX) == 0);
  CHECK(fill.blob().contiguous() == 0);
  CHECK(fill.blob().received() == 1000);
}

TEST_CASE("an empty blob is verified without a byte") {
  Fill fill(0, GENERATE(true, false));
  REQUIRE(fill.blob().write(0, {}));
  REQUIRE(fill.blob().verify());
  CHECK(fill.blob().size() == 0U);
  CHECK(run_task(fill.blob().wait_readable(0, never)) == 0U);
}

TEST_CASE("a wrong digest is never verified and never visible whole") {
  Fill fill(3 * hold_back, GENERATE(true, false), "something else");
  REQUIRE(fill.write(0, 3 * hold_back));
  const auto verified = fill.blob().verify();
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::digest_mismatch);
  CHECK(verified.error().blame == Blame::upstream);
  CHECK(fill.blob().state() == State::filling);
  CHECK(fill.blob().readable(0) == 2 * hold_back);
  CHECK_FALSE(fill.blob().verify());  // nor at the second try
  CHECK(run_task(fill.blob().wait_verified(past)).error().code == ErrorCode::timeout);
}

TEST_CASE("bytes under the name of nothing are refused every time") {
  Fill fill(100, true, "");
  REQUIRE(fill.write(0, 100));
  CHECK(fill.blob().verify().error().code == ErrorCode::digest_mismatch);
  CHECK(fill.blob().verify().error().code == ErrorCode::digest_mismatch);
}

TEST_CASE("verifying with bytes missing is a protocol error and filling may go on") {
  Fill fill(1000);
  const bool hole = GENERATE(true, false);
  REQUIRE(fill.write(hole ? 500 : 0, hole ? 1000 : 999));
  const auto verified = fill.blob().verify();
  REQUIRE_FALSE(verified);
  CHECK(verified.error().code == ErrorCode::protocol);
  REQUIRE(fill.write(0, 1000));
  CHECK(fill.blob().verify());
}

TEST_CASE("with the size unknown, a hole is a protocol error and what is there is the size") {
  Fill fill(1000, false);
  REQUIRE(fill.write(0, 400));
  REQUIRE(fill.write(500, 1000));
  CHECK(fill.blob().verify().error().code == ErrorCode::protocol);
  CHECK_FALSE(fill.blob().size());
  REQUIRE(fill.write(400, 500));
  REQUIRE(fill.blob().verify());
  CHECK(fill.blob().size() == 1000U);
}

TEST_CASE("bytes beyond the size are a protocol error of the upstream and are not written") {
  Fill fill(1000);
  const std::string extra(2, 'x');
  for (const std::uint64_t offset : {std::uint64_t{999}, std::uint64_t{1000}, UINT64_MAX, UINT64_MAX - 1}) {
    const auto written = fill.blob().write(offset, bytes_of(extra));
    REQUIRE_FALSE(written);
    CHECK(written.error().code == ErrorCode::protocol);
    CHECK(written.error().blame == Blame::upstream);
  }
  CHECK(fill.blob().received() == 0);
  CHECK(fill.in_file().empty());
}

TEST_CASE("the size can be set once, to one value, not below what came") {
  Fill fill(1000, false);
  REQUIRE(fill.write(0, 500));
  CHECK(fill.blob().set_size(499).error().code == ErrorCode::protocol);
  CHECK_FALSE(fill.blob().size());
  REQUIRE(fill.blob().set_size(1000));
  CHECK(fill.blob().set_size(1000));
  CHECK(fill.blob().set_size(1001).error().code == ErrorCode::protocol);
  CHECK(run_task(fill.blob().wait_size(past)) == 1000U);
}

TEST_CASE("bytes in any order give the same blob") {
  const std::size_t length = 20'000;
  Fill fill(length, GENERATE(true, false));
  std::vector<std::uint64_t> order;
  for (std::uint64_t at = 0; at < length; at += 500) order.push_back(at);
  std::ranges::shuffle(order, std::mt19937(GENERATE(1U, 2U, 3U)));
  for (const std::uint64_t at : order) REQUIRE(fill.write(at, at + 500));
  REQUIRE(fill.blob().verify());
  CHECK(fill.in_file() == fill.content);
}

TEST_CASE("of overlapping writes the first stays, so that the file is what was hashed") {
  Fill fill(1000);
  REQUIRE(fill.write(0, 600));
  const std::string other(1000, 'x');
  REQUIRE(fill.blob().write(300, bytes_of(other).first(300)));
  CHECK(fill.in_file() == fill.content.substr(0, 600));
  SECTION("right bytes around them") {
    REQUIRE(fill.write(0, 1000));
    REQUIRE(fill.blob().verify());
    CHECK(fill.in_file() == fill.content);
  }
  SECTION("wrong bytes after them") {
    REQUIRE(fill.blob().write(300, bytes_of(other).first(700)));
    CHECK(fill.in_file() == fill.content.substr(0, 600) + std::string(400, 'x'));
    CHECK(fill.blob().verify().error().code == ErrorCode::digest_mismatch);
  }
}

TEST_CASE("an overlapping write over several holes fills just those") {
  Fill fill(1000);
  REQUIRE(fill.write(100, 200));
  REQUIRE(fill.write(400, 500));
  std::string wrong = fill.content;
  for (std::size_t i = 100; i < 200; ++i) wrong[i] = static_cast<char>(~wrong[i]);
  REQUIRE(fill.blob().write(0, bytes_of(wrong)));
  REQUIRE(fill.blob().verify());
  CHECK(fill.in_file() == fill.content);
}

TEST_CASE("a failed write leaves its range absent and can be repeated") {
  Fill fill(3 * hold_back);
  fill.fs.fail_after_bytes(100);
  const auto written = fill.write(0, 1000);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::no_space);
  CHECK(fill.blob().contiguous() == 0);
  CHECK(fill.blob().readable(0) == 0);
  fill.fs.clear();
  REQUIRE(fill.write(0, 3 * hold_back));
  CHECK(fill.blob().verify());
}

TEST_CASE("a disk that cannot be read back fails the verification, not the process") {
  Fill fill(1000);
  REQUIRE(fill.write(500, 1000));
  REQUIRE(fill.write(0, 500));
  fill.fs.fail_all(FaultFileSystem::Op::read);
  CHECK(fill.blob().hash_more().error().code == ErrorCode::io);
  CHECK(fill.blob().verify().error().code == ErrorCode::io);
  fill.fs.clear();
  CHECK(fill.blob().verify());
}

TEST_CASE("after a failure nothing is readable and the first error is what everybody gets") {
  Fill fill(3 * hold_back);
  REQUIRE(fill.write(0, 2 * hold_back));
  fill.blob().fail(broke);
  fill.blob().fail({.code = ErrorCode::timeout, .context = "second"});
  CHECK(fill.blob().state() == State::failed);
  CHECK(fill.blob().readable(0) == 0);
  CHECK(run_task(fill.blob().wait_readable(0, never)).error().context == "the line broke");
  CHECK(run_task(fill.blob().wait_verified(never)).error().code == ErrorCode::unavailable);
  CHECK(fill.write(0, 10).error().code == ErrorCode::unavailable);
  CHECK(fill.blob().verify().error().code == ErrorCode::unavailable);
  fill.blob().mark_committed();
  CHECK(fill.blob().state() == State::failed);
}

TEST_CASE("a verified blob can fail until it is committed") {
  Fill fill(10);
  REQUIRE(fill.write(0, 10));
  REQUIRE(fill.blob().verify());
  CHECK_FALSE(fill.write(0, 10));
  SECTION("before") {
    fill.blob().fail(broke);
    CHECK(fill.blob().state() == State::failed);
  }
  SECTION("after") {
    fill.blob().mark_committed();
    fill.blob().fail(broke);
    CHECK(fill.blob().state() == State::committed);
    CHECK(fill.blob().readable(0) == 10);
  }
}

TEST_CASE("a wait whose deadline passes is a timeout that may be tried again") {
  Fill fill(10, false);
  CHECK(run_task(fill.blob().wait_readable(0, past)).error().code == ErrorCode::timeout);
  CHECK(run_task(fill.blob().wait_size(past)).error().retryable);
  CHECK(run_task(fill.blob().wait_verified(past)).error().code == ErrorCode::timeout);
}

struct Reserved {
  explicit Reserved(std::optional<std::uint64_t> size, std::uint64_t max_size, std::uint64_t disk = UINT32_MAX)
      : fs(disk),
        space(fs, {.folder = "/", .max_size = max_size}),
        blob(Digest::of("x"), size, "/p", std::move(*fs.open("/p", FileSystem::Open::create)),
             std::move(*space.reserve(size.value_or(0)))) {}
  MemoryFileSystem fs;
  Space space;
  PartialBlob blob;
};

TEST_CASE("an unknown size is reserved in steps as bytes come, exactly once the size is known") {
  constexpr std::uint64_t step = 64 * 1024 * 1024;
  Reserved r(std::nullopt, 10 * step);
  CHECK(r.space.usage().reserved == 0);
  REQUIRE(r.blob.write(0, bytes_of("abc")));
  CHECK(r.space.usage().reserved == step + 3);
  REQUIRE(r.blob.write(3, bytes_of("def")));
  CHECK(r.space.usage().reserved == step + 3);
  REQUIRE(r.blob.set_size(2 * step));
  CHECK(r.space.usage().reserved == 2 * step);
  r.blob.release_space();
  CHECK(r.space.usage().reserved == 0);
}

TEST_CASE("where a step does not fit, just the bytes are reserved") {
  Reserved r(std::nullopt, 10);
  REQUIRE(r.blob.write(0, bytes_of("0123456789")));
  CHECK(r.space.usage().reserved == 10);
  CHECK(r.blob.write(10, bytes_of("x")).error().code == ErrorCode::no_space);
  CHECK(r.blob.contiguous() == 10);
}

TEST_CASE("bytes on the disk are not held against the disk a second time") {
  Reserved r(600, 0, 1000);
  REQUIRE(r.blob.write(0, bytes_of(std::string(600, 'x'))));
  CHECK(r.space.reserve(400));
  CHECK_FALSE(r.space.reserve(401));
}

TEST_CASE("a size that does not fit is refused and stays unknown") {
  Reserved r(std::nullopt, 10);
  CHECK(r.blob.set_size(11).error().code == ErrorCode::no_space);
  CHECK(r.blob.set_size(UINT64_MAX).error().code == ErrorCode::no_space);
  CHECK_FALSE(r.blob.size());
}

}  // namespace
}  // namespace paddock
