// FillFixture: a FillCoordinator over a store in memory and a FakeUpstream, and readers of its fills.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>
#include <utility>

#include "proxy/fill/coordinator.h"
#include "tests/support/cache_fixture.h"

namespace paddock::test {

inline const Error broken_connection{ErrorCode::unavailable, Blame::upstream, "connection reset", true};

struct FillFixture : CacheFixture {
  ~FillFixture() { shut_down(); }

  FillCoordinator fills{
      loops,
      pool,
      blobs,
      {.fetch = {.buffer = 4096,
                 .straggler = no_straggler,
                 .retry = {.attempts = 4, .base = std::chrono::milliseconds(1), .cap = std::chrono::milliseconds(2)}},
       .clock = &clock}};
  FillCoordinator limited{loops, pool, blobs, {.fetch = {.buffer = 4096, .unsized_limit = 100'000}}};

  Result<FillSource> source(const std::shared_ptr<Fill>& fill) { return start(fill->source(soon())).get(); }
  // All bytes that a reader sees, or why he does not.
  Result<std::string> read(const std::shared_ptr<Fill>& fill) { return start(read_all(fill)).get(); }

  static Task<Result<std::string>> read_all(std::shared_ptr<Fill> fill) {
    auto found = co_await fill->source(soon());
    if (!found) co_return std::unexpected(found.error());
    std::string text;
    if (auto* blob = std::get_if<Blob>(&*found)) {
      text.resize(blob->size);
      if (auto got = blob->file->read_at(0, std::as_writable_bytes(std::span(text))); !got) {
        co_return std::unexpected(got.error());
      }
      co_return text;
    }
    const auto partial = std::get<std::shared_ptr<PartialBlob>>(*found);
    for (;;) {
      auto readable = co_await partial->wait_readable(text.size(), soon());
      if (!readable) co_return std::unexpected(readable.error());
      if (*readable == 0) co_return text;
      std::string piece(*readable, '\0');
      auto got = partial->file()->read_at(text.size(), std::as_writable_bytes(std::span(piece)));
      if (!got) co_return std::unexpected(got.error());
      text += piece;
    }
  }
  void hide_all_sizes() {
    upstream->hide_sizes(true);
    upstream->fail_calls("head_blob", Error{ErrorCode::protocol, Blame::upstream, "no size"}, 0);
  }
  bool ended() { return fills.stop(std::chrono::seconds(30)); }
  void settle() {
    while (!fills.fills().empty()) std::this_thread::yield();
  }
};

// All threads of the fixture's pool wait until they are let go.
class PoolHold {
 public:
  explicit PoolHold(CacheFixture& fixture) {
    const auto wait = gate_.get_future().share();
    for (int i = 0; i < 2; ++i) {
      fixture.start(fixture.pool.run([this, wait]() -> Result<int> {
        ++holding_;
        wait.wait();
        return 0;
      }));
    }
    while (holding_ < 2) std::this_thread::yield();
  }
  ~PoolHold() { let_go(); }
  PoolHold(const PoolHold&) = delete;
  PoolHold& operator=(const PoolHold&) = delete;

  void let_go() {
    if (!std::exchange(open_, true)) gate_.set_value();
  }

 private:
  std::promise<void> gate_;
  std::atomic<int> holding_{0};
  bool open_ = false;
};

}  // namespace paddock::test
