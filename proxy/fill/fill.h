// Fill: one blob on its way into the store, seen by those who want to read it. Made by the FillCoordinator only.
//
//   starting ──▶ streaming(PartialBlob) ──▶ stored(Blob)
//      │  └───────────────────────────────────▲   (it was in the store already)
//      └──▶ failed(Error) ◀── streaming
//
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/blob_store.h"
#include "storage/mutex.h"
#include "storage/notifier.h"

namespace paddock {

// What a reader serves from.
using FillSource = std::variant<std::shared_ptr<PartialBlob>, Blob>;

struct FillStatus {
  Digest digest;
  std::string upstream, repository, source;  // source: endpoint host
  std::string state;                         // "starting", "streaming", "stored", "failed"
  std::uint64_t received = 0;                // bytes
  std::optional<std::uint64_t> size;
  std::uint64_t readers = 0;
  std::chrono::steady_clock::time_point started;
};

// The content exists, but we could not take it, for want of room or a disk that works: it may be streamed uncached.
// Not: shutting down, or offline.
bool is_not_kept(const Error& error);

class Fill {
 public:
  Fill(Digest digest, std::string upstream, std::string repository);

  // Waits until there is something to serve with a known size, or the fill has failed. timeout, with a retry_after when
  // bytes are coming but nobody knows how many, or when the fill is still in line.
  Task<Result<FillSource>> source(std::chrono::steady_clock::time_point deadline);
  // Waits until it is over: true when it is stored, or what it failed with. False: not by then.
  Task<Result<bool>> over(std::chrono::steady_clock::time_point deadline);
  [[nodiscard]] FillStatus status() const;
  [[nodiscard]] const Digest& digest() const { return digest_; }
  // It is over, or about to be: how it failed is old news to who comes now.
  [[nodiscard]] bool failed() const;

  // Somebody who reads from `position` on, for as long as it lives. What readers get to next is fetched first.
  struct Reader {
    std::atomic<std::uint64_t> position;
  };
  [[nodiscard]] std::shared_ptr<Reader> add_reader(std::uint64_t position);
  [[nodiscard]] std::size_t readers() const { return positions().size(); }
  [[nodiscard]] std::vector<std::uint64_t> positions() const;
  // Somebody reads, or waits in source().
  [[nodiscard]] bool wanted() const { return waiting_ > 0 || readers() > 0; }

  // --- the coordinator's ---
  void leave_line() { in_line_ = false; }
  void publish(std::shared_ptr<PartialBlob> partial, std::string source);
  void set_source(std::string source);
  void finish(Blob blob);
  void finish();  // what was published is stored
  void finish(Error error);

 private:
  struct Starting {};
  struct Streaming {
    std::shared_ptr<PartialBlob> partial;
    bool stored = false;
  };
  using State = std::variant<Starting, Streaming, Blob, Error>;

  const Digest digest_;
  const std::string upstream_, repository_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::atomic<bool> in_line_{true};
  std::atomic<std::uint64_t> waiting_{0};  // in source()
  mutable Mutex mutex_;
  mutable std::vector<std::weak_ptr<Reader>> readers_ PADDOCK_GUARDED_BY(mutex_);
  State state_ PADDOCK_GUARDED_BY(mutex_);
  std::string source_ PADDOCK_GUARDED_BY(mutex_);
  Notifier changed_;
};

}  // namespace paddock
