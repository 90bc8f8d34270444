#include "proxy/tags/or_unknown.h"

#include <chrono>
#include <spdlog/spdlog.h>

#include "proxy/net/seldom.h"
#include "storage/mutex.h"

namespace paddock {
namespace {

// One for the process, as its log is.
struct Reports {
  Mutex mutex;
  Seldom seldom PADDOCK_GUARDED_BY(mutex);
};

}  // namespace

void log_unreadable_catalog(const Error& error) {
  static Reports reports;
  const MutexLock lock(reports.mutex);
  if (const auto times = reports.seldom.happened(std::chrono::steady_clock::now())) {
    spdlog::error("the catalog cannot be read, the upstream is asked instead: {} times since last told, now: {}",
                  *times, error.context);
  }
}

}  // namespace paddock
