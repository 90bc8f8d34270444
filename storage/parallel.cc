#include "storage/parallel.h"

#include <atomic>
#include <exception>
#include <spdlog/spdlog.h>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "storage/mutex.h"

namespace paddock {
namespace {

class Work {
 public:
  Work(std::size_t count, const std::function<Result<void>(std::size_t)>& work) : count_(count), work_(work) {}

  void run() {
    for (std::size_t index = next_++; index < count_ && !failed_; index = next_++) {
      auto done = call(index);
      if (done || failed_.exchange(true)) continue;
      const MutexLock lock(mutex_);
      result_ = std::move(done);
    }
  }

  Result<void> result() {
    const MutexLock lock(mutex_);
    return result_;
  }

 private:
  Result<void> call(std::size_t index) try { return work_(index); } catch (const std::exception& e) {
    return fail(ErrorCode::io, Blame::us, e.what());
  }

  const std::size_t count_;
  const std::function<Result<void>(std::size_t)>& work_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  Result<void> result_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace

Result<void> work_in_parallel(std::size_t count, unsigned threads,
                              const std::function<Result<void>(std::size_t)>& work) {
  Work all(count, work);
  {
    std::vector<std::jthread> others;  // joined on the way out
    try {
      for (unsigned i = 1; i < threads && i < count; ++i) others.emplace_back([&all] { all.run(); });
    } catch (const std::system_error& e) {
      spdlog::warn("work goes on with {} threads instead of {}: {}", others.size() + 1, threads, e.what());
    }
    all.run();
  }
  return all.result();
}

}  // namespace paddock
