// PullHistory: which tags clients asked for, and in which hours, so that they can be fetched before they are wanted
// again.
//
//   record()  one note a tag and hour of local time, whoever asks and how often
//   pulled()  all tags asked for of late
//   usual()   those asked for in most weeks at the same hour of the same day of the week
//
// Nothing is noted until keep() says for how long. At most `most_tags` are remembered: beyond that those asked for
// longest ago are forgotten. Kept in one small file, written by save(): what came after the last is lost when the
// process is killed. Thread-safe; load() and save() block, record() touches memory only. Errors: the file system's,
// corrupt.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/schedule.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/file_system.h"
#include "storage/mutex.h"

namespace paddock {

// An hour of the local calendar. When clocks go back, the hour that is repeated is one hour.
using LocalHour = std::chrono::local_time<std::chrono::hours>;

LocalHour local_hour(WallTime time, const UtcOffset& offset = system_utc_offset);

struct PulledTags {
  RepositoryKey repository;
  std::vector<std::string> tags;
};

class PullHistory {
 public:
  struct Options {
    std::size_t most_tags = 2'000;
    UtcOffset offset = system_utc_offset;
  };

  PullHistory(FileSystem& fs, std::filesystem::path file, const Clock& clock, Options options);

  void keep(std::chrono::days time);
  [[nodiscard]] LocalHour hour_of(WallTime time) const { return local_hour(time, options_.offset); }
  void record(const RepositoryKey& repository, std::string_view tag);

  [[nodiscard]] std::vector<PulledTags> pulled(std::chrono::days within) const;
  // In at least half of the weeks that `within` spans, and in two if it spans as many.
  [[nodiscard]] std::vector<PulledTags> usual(LocalHour hour, std::chrono::days within) const;

  Result<void> load();
  Result<void> save();  // if there is something new

 private:
  using Hours = std::deque<LocalHour>;  // ascending
  using Tags = std::map<std::string, Hours, std::less<>>;

  template <typename F>
  [[nodiscard]] std::vector<PulledTags> select(F wanted) const;
  void add(Hours& hours, LocalHour hour) PADDOCK_REQUIRES(mutex_);
  void forget_one() PADDOCK_REQUIRES(mutex_);
  void forget_old(LocalHour now) PADDOCK_REQUIRES(mutex_);

  FileSystem& fs_;
  const std::filesystem::path file_;
  const Clock& clock_;
  const Options options_;
  std::atomic<std::chrono::days> kept_{std::chrono::days(0)};
  Mutex saving_;  // before mutex_
  mutable Mutex mutex_;
  std::map<RepositoryKey, Tags> repositories_ PADDOCK_GUARDED_BY(mutex_);
  std::size_t tags_ PADDOCK_GUARDED_BY(mutex_) = 0;
  bool changed_ PADDOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace paddock
