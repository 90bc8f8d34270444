// PartialBlob between threads: readers on event loops, writers beside them.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <random>
#include <vector>

#include "storage/partial_blob.h"
#include "tests/storage/partial_blob_fixture.h"
#include "tests/support/loop_thread.h"

namespace paddock {
namespace {

TEST_CASE("a reader waits for its own range and no other") {
  Fill fill(4 * hold_back);
  LoopThread loop;
  auto reader = loop.spawn(fill.blob().wait_readable(2 * hold_back, never));
  loop.settle();
  REQUIRE(fill.write(0, hold_back));
  loop.settle();
  CHECK(reader.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  REQUIRE(fill.write(2 * hold_back, 2 * hold_back + 77));
  CHECK(reader.get() == 77U);
}

TEST_CASE("a reader at or past the end learns of it when the blob is verified") {
  Fill fill(1000);
  LoopThread loop;
  auto at_end = loop.spawn(fill.blob().wait_readable(1000, never));
  auto beyond = loop.spawn(fill.blob().wait_readable(5000, never));
  loop.settle();
  REQUIRE(fill.write(0, 1000));
  REQUIRE(fill.blob().verify());
  CHECK(at_end.get() == 0U);
  CHECK(beyond.get() == 0U);
}

TEST_CASE("a failure wakes everyone on every loop") {
  Fill fill(1000, false);
  LoopThread one;
  LoopThread two;
  std::vector<std::future<Result<std::uint64_t>>> readers;
  std::vector<std::future<Result<void>>> others;
  for (LoopThread* loop : {&one, &two}) {
    for (int i = 0; i < 50; ++i) readers.push_back(loop->spawn(fill.blob().wait_readable(i, never)));
    readers.push_back(loop->spawn(fill.blob().wait_size(never)));
    others.push_back(loop->spawn(fill.blob().wait_verified(never)));
    loop->settle();
  }
  fill.blob().fail(broke);
  for (auto& reader : readers) CHECK(reader.get().error().code == ErrorCode::unavailable);
  for (auto& other : others) CHECK(other.get().error().code == ErrorCode::unavailable);
}

Task<Result<std::string>> read_all(PartialBlob& blob) {
  std::string text;
  for (;;) {
    const auto there = co_await blob.wait_readable(text.size(), never);
    if (!there) co_return std::unexpected(there.error());
    if (*there == 0) co_return text;
    std::string piece(std::min<std::uint64_t>(*there, 7919), '?');
    const auto got = blob.file()->read_at(text.size(), std::as_writable_bytes(std::span(piece)));
    if (!got) co_return std::unexpected(got.error());
    text += piece.substr(0, *got);
  }
}

TEST_CASE("readers follow writers that overlap and come out of order, on many threads") {
  const std::size_t length = 5 * hold_back + 123;
  Fill fill(length, GENERATE(true, false));
  LoopThread one;
  LoopThread two;
  std::vector<std::future<Result<std::string>>> readers;
  for (int i = 0; i < 6; ++i) readers.push_back((i % 2 == 0 ? one : two).spawn(read_all(fill.blob())));
  std::vector<std::future<bool>> writers;
  for (unsigned w = 0; w < 4; ++w) {
    writers.push_back(std::async(std::launch::async, [&fill, w, length] {
      std::vector<std::uint64_t> order;
      for (std::uint64_t at = 0; at < length; at += 3000) order.push_back(at);
      std::ranges::shuffle(order, std::mt19937(w));
      bool all = true;
      for (const std::uint64_t at : order) {
        all = fill.write(at, std::min<std::uint64_t>(length, at + 5000)).has_value() && all;
      }
      return all;
    }));
  }
  for (auto& writer : writers) CHECK(writer.get());
  REQUIRE(fill.blob().verify());
  for (auto& reader : readers) {
    const auto text = reader.get();
    REQUIRE(text);
    CHECK(*text == fill.content);
  }
}

// Its first write stops until the gate opens.
class GatedFile final : public File {
 public:
  explicit GatedFile(std::unique_ptr<File> inner) : inner_(std::move(inner)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    return inner_->read_at(offset, out);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (!entered_.exchange(true)) {
      arrived.set_value();
      gate.get_future().wait();
    }
    return inner_->write_at(offset, bytes);
  }
  Result<void> sync_data() override { return inner_->sync_data(); }
  [[nodiscard]] Result<std::uint64_t> size() const override { return inner_->size(); }

  std::promise<void> arrived, gate;

 private:
  std::unique_ptr<File> inner_;
  std::atomic<bool> entered_ = false;
};

TEST_CASE("a write over a range that is being written waits, so that what is hashed is not replaced") {
  MemoryFileSystem memory;
  const auto file = std::make_shared<GatedFile>(std::move(*memory.open("/p", FileSystem::Open::create)));
  PartialBlob blob(Digest::of("right"), 5, "/p", file, Reservation());
  auto slow = std::async(std::launch::async, [&] { return blob.write(0, bytes_of("wrong")).has_value(); });
  file->arrived.get_future().wait();
  auto other = std::async(std::launch::async, [&] { return blob.write(0, bytes_of("right")).has_value(); });
  // Bounds how long we look for the fault; a right answer does not depend on it.
  CHECK(other.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  CHECK(blob.received() == 0);
  file->gate.set_value();
  CHECK(slow.get());
  CHECK(other.get());
  CHECK(read_text(*file, 0, 5) == "wrong");
  CHECK(blob.verify().error().code == ErrorCode::digest_mismatch);
}

TEST_CASE("of writers that disagree on the same range one wins, whole file and hash alike") {
  for (int round = 0; round < 20; ++round) {
    Fill fill(30'000);
    std::string wrong(fill.content.size(), 'w');
    auto liar = std::async(std::launch::async, [&] {
      for (std::uint64_t at = 0; at < 30'000; at += 1000)
        (void)fill.blob().write(at, bytes_of(wrong).subspan(at, 1000));
    });
    for (std::uint64_t at = 0; at < 30'000; at += 1500) (void)fill.write(at, at + 1500);
    liar.wait();
    const bool right = fill.in_file() == fill.content;
    CHECK(fill.blob().verify().has_value() == right);
  }
}

TEST_CASE("a fill that fails under its writers ends them all") {
  Fill fill(1'000'000);
  std::vector<std::future<bool>> writers;
  for (int w = 0; w < 3; ++w) {
    writers.push_back(std::async(std::launch::async, [&fill] {
      for (std::uint64_t at = 0;; at = (at + 100) % 1'000'000) {
        if (const auto written = fill.write(at, at + 100); !written) {
          return written.error().code == ErrorCode::unavailable;
        }
      }
    }));
  }
  fill.blob().fail(broke);
  for (auto& writer : writers) CHECK(writer.get());
}

}  // namespace
}  // namespace paddock
