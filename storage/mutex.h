// Mutex and MutexLock: std::mutex with clang's thread-safety annotations (-Wthread-safety).
// Members say PADDOCK_GUARDED_BY(mutex_), functions PADDOCK_REQUIRES(mutex_). Never hold one across co_await.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PADDOCK_ANNOTATE(x) __attribute__((x))
#else
#define PADDOCK_ANNOTATE(x)
#endif
#define PADDOCK_CAPABILITY(x) PADDOCK_ANNOTATE(capability(x))
#define PADDOCK_SCOPED_CAPABILITY PADDOCK_ANNOTATE(scoped_lockable)
#define PADDOCK_GUARDED_BY(x) PADDOCK_ANNOTATE(guarded_by(x))
#define PADDOCK_REQUIRES(...) PADDOCK_ANNOTATE(requires_capability(__VA_ARGS__))
#define PADDOCK_EXCLUDES(...) PADDOCK_ANNOTATE(locks_excluded(__VA_ARGS__))
#define PADDOCK_ACQUIRE(...) PADDOCK_ANNOTATE(acquire_capability(__VA_ARGS__))
#define PADDOCK_TRY_ACQUIRE(...) PADDOCK_ANNOTATE(try_acquire_capability(__VA_ARGS__))
#define PADDOCK_RELEASE(...) PADDOCK_ANNOTATE(release_capability(__VA_ARGS__))

namespace paddock {

class PADDOCK_CAPABILITY("mutex") Mutex {
 public:
  void lock() PADDOCK_ACQUIRE() { mutex_.lock(); }
  bool try_lock() PADDOCK_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() PADDOCK_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class PADDOCK_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PADDOCK_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() PADDOCK_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// A condition variable for Mutex, used by blocking code and tests.
class Condition {
 public:
  void notify_all() { condition_.notify_all(); }
  void wait(Mutex& mutex) PADDOCK_REQUIRES(mutex) { condition_.wait(mutex); }
  // False when the deadline has passed.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline) PADDOCK_REQUIRES(mutex) {
    return condition_.wait_until(mutex, deadline) == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable_any condition_;
};

}  // namespace paddock
