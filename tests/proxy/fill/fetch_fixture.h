// FetchFixture: a BlobFetch of a blob of a FakeUpstream into a store in memory, in pieces of 10 kB.
#pragma once

#include <catch2/catch.hpp>
#include <thread>

#include "proxy/fill/blob_fetch.h"
#include "tests/support/cache_fixture.h"

namespace paddock::test {

inline constexpr std::uint64_t chunk = 10'000;
inline const Error reset{ErrorCode::unavailable, Blame::upstream, "connection reset", true};
inline const Error denied{ErrorCode::denied, Blame::upstream, "denied"};

struct FetchFixture : CacheFixture {
  ~FetchFixture() { shut_down(); }

  BlockingPool sync{1};
  FetchOptions options{
      .chunk = chunk,
      .most_chunks = 1,
      .buffer = 4096,
      .connections = 4,
      .interval = std::chrono::milliseconds(5),
      .checkpoint = std::chrono::seconds(0),
      .straggler = no_straggler,
      .least_brought = 1000,
      .retry = {.attempts = 4, .base = std::chrono::milliseconds(1), .cap = std::chrono::milliseconds(2)}};
  std::vector<std::uint64_t> readers;
  std::shared_ptr<TokenBucket> bandwidth;  // of the upstream
  std::shared_ptr<FillSources> sources;    // one, unless a test makes others
  std::atomic<bool> stop = false;
  std::atomic<int> resumed = 0;
  std::string content;
  std::shared_ptr<PartialBlob> partial;

  // A blob of the upstream that is to be filled.
  void make(std::size_t size, bool size_known = true) {
    content = pattern(size);
    const Digest digest = upstream->add_blob("a/b", content);
    partial = blobs.begin(digest, size_known ? std::optional<std::uint64_t>(size) : std::nullopt).value();
  }
  std::future<Result<void>> begin(std::optional<BlobTransfer> first = std::nullopt) {
    if (!sources) sources = std::make_shared<FillSources>(BlobSource{upstream, "a/b"});
    upstream->set_bandwidth(bandwidth);
    const auto fetch =
        std::make_shared<BlobFetch>(sources, partial,
                                    BlobFetch::Surroundings{.readers = [this] { return readers; },
                                                            .interrupted = [this]() -> std::optional<Error> {
                                                              if (!stop) return std::nullopt;
                                                              return Error{ErrorCode::cancelled, Blame::us, "stopped"};
                                                            },
                                                            .on_source = [](const BlobSource&, const std::string&) {},
                                                            .on_resumed = [this] { ++resumed; }},
                                    BlobFetch::Pools{pool, sync}, options);
    return start(run(fetch, std::move(first)));
  }
  static Task<Result<void>> run(std::shared_ptr<BlobFetch> fetch, std::optional<BlobTransfer> first) {
    co_return co_await fetch->run(std::move(first));
  }
  Result<void> fetch() { return begin().get(); }
  void write(std::uint64_t begin, std::uint64_t end) {
    REQUIRE(partial->write(begin, std::as_bytes(std::span(content).subspan(begin, end - begin))));
  }
  std::string call(std::uint64_t offset) const {
    return "get_blob a/b " + partial->digest().to_string() + ' ' + std::to_string(offset);
  }
  // Until so many bytes are recorded as durable.
  void wait_until_synced(std::uint64_t bytes) {
    const PartialJournal journal(disk, folder.paths().partial(partial->digest()), partial->digest(), "");
    const auto synced = [&] {
      const auto progress = journal.read();
      return progress ? progress->extents.total() : 0;
    };
    const auto until = soon();
    while (synced() < bytes && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    CHECK(synced() >= bytes);
  }
  void check_complete() {
    CHECK(partial->received() == content.size());
    CHECK(blobs.commit(*partial));
    CHECK(stored(partial->digest()));
  }
};

}  // namespace paddock::test
