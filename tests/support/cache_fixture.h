// CacheFixture: a whole store in memory with loops and pool, as fill, tags and registry tests need it.
// Members are in the order in which they must be destroyed last to first.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "proxy/fill/straggler.h"
#include "proxy/net/event_loops.h"
#include "storage/blocking_pool.h"
#include "storage/data_folder.h"
#include "storage/disk_blob_store.h"
#include "storage/manifest_store.h"
#include "storage/records.h"
#include "storage/space.h"
#include "tests/support/fake_upstream.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_catalog.h"
#include "tests/support/memory_file_system.h"

namespace paddock::test {

struct CacheFixture {
  CacheFixture() { loops.run(); }
  ~CacheFixture() { shut_down(); }
  // First thing in the destructor of whatever adds members that run on the loops.
  void shut_down() {
    upstream->release();
    loops.stop();
    pool.join();
  }
  CacheFixture(const CacheFixture&) = delete;
  CacheFixture& operator=(const CacheFixture&) = delete;

  // Starts a task on one of the fixture's loops; what it leaves running there goes on.
  template <typename T>
  std::future<T> start(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    asio::co_spawn(loops.next(), keep(std::move(task), promise), asio::detached);
    return promise->get_future();
  }

  template <typename T>
  static Task<void> keep(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
    promise->set_value(co_await std::move(task));
  }

  // What the store says of a digest now.
  [[nodiscard]] bool stored(const Digest& digest) { return blobs.open(digest).has_value(); }

  ManualClock clock;
  MemoryFileSystem disk;
  FaultFileSystem fs{disk};
  DataFolder folder = DataFolder::open(fs, "/data").value();
  MemoryCatalog catalog;
  Space space{fs, {.folder = "/data"}};
  DiskBlobStore blobs{fs, folder.paths(), catalog, space, clock, {}};
  RecordFiles records{fs, folder.paths().records()};
  ManifestStore store{blobs, records, catalog};
  std::shared_ptr<FakeUpstream> upstream = std::make_shared<FakeUpstream>("up.example");
  BlockingPool pool{2};
  EventLoops loops{2};
};

// Where transfers are held: nothing is fetched a second time, however long that takes.
inline constexpr StragglerPolicy no_straggler{.silence = std::chrono::hours(1), .least = std::chrono::hours(1)};

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return text;
}

inline std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(30);
}

}  // namespace paddock::test
