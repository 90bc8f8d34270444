#include "storage/blob_check.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <stop_token>
#include <thread>
#include <utility>

#include "storage/mutex.h"

namespace paddock {
namespace {

constexpr std::size_t piece = std::size_t{1} << 20U;  // bytes read at a time
constexpr std::chrono::milliseconds tick{200};        // between two looks of the calling thread

class Check {
 public:
  Check(FileSystem& fs, const std::vector<UncheckedBlob>& blobs) : fs_(fs), blobs_(blobs) {
    for (const auto& blob : blobs) total_.of_bytes += blob.size;
    total_.of_blobs = blobs.size();
  }

  Result<void> run(unsigned threads, const SettleBlob& settle, const OnProgress& progress) {
    auto done = progress(total_);
    if (!done) return done;
    std::vector<std::jthread> workers;  // stopped and joined on the way out
    for (unsigned i = 0; i < std::max(threads, 1U) && i < blobs_.size(); ++i) {
      workers.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    while (done && total_.blobs < total_.of_blobs) {
      for (const auto& [index, actual] : take()) {
        if (done) done = settle(blobs_[index], actual);
        ++total_.blobs;
      }
      total_.bytes = bytes_;
      if (done) done = progress(total_);
    }
    return done;
  }

 private:
  using Hashed = std::vector<std::pair<std::size_t, Result<Digest>>>;

  // What was hashed since the last call; waits a little for it.
  Hashed take() {
    const auto deadline = std::chrono::steady_clock::now() + tick;
    const MutexLock lock(mutex_);
    while (hashed_.empty() && came_.wait_until(mutex_, deadline)) {
    }
    return std::exchange(hashed_, {});
  }

  void work(const std::stop_token& stop) {
    for (std::size_t index = next_++; index < blobs_.size() && !stop.stop_requested(); index = next_++) {
      auto actual = hash(blobs_[index], stop);
      const MutexLock lock(mutex_);
      hashed_.emplace_back(index, std::move(actual));
      came_.notify_all();
    }
  }

  Result<Digest> hash(const UncheckedBlob& blob, const std::stop_token& stop) try {
    const auto file = fs_.open(blob.path, FileSystem::Open::read);
    if (!file) return std::unexpected(file.error());
    Hasher hasher(blob.digest.algorithm());
    std::vector<std::byte> buffer(piece);
    for (std::uint64_t offset = 0; !stop.stop_requested();) {
      const auto got = (*file)->read_at(offset, buffer);
      if (!got) return std::unexpected(got.error());
      if (*got == 0) return hasher.finish();
      hasher.update(std::span(buffer).first(*got));
      offset += *got;
      bytes_ += *got;
    }
    return fail(ErrorCode::cancelled, Blame::us, "the check was given up");
  } catch (const std::exception& e) {
    return fail(ErrorCode::io, Blame::us, e.what());
  }

  FileSystem& fs_;
  const std::vector<UncheckedBlob>& blobs_;
  CheckProgress total_;  // of the calling thread
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> bytes_{0};
  Mutex mutex_;
  Condition came_;
  Hashed hashed_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace

Result<void> check_blobs(FileSystem& fs, const std::vector<UncheckedBlob>& blobs, unsigned threads,
                         const SettleBlob& settle, const OnProgress& progress) {
  if (blobs.empty()) return {};
  return Check(fs, blobs).run(threads, settle, progress);
}

}  // namespace paddock
