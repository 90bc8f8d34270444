// PullHistory: which tags clients asked for, and in which hours, so that they can be fetched before they are wanted
// again.
//
//   record()  one note a tag and hour of local time, whoever asks and how often
//   pulled()  all tags asked for of late
//   usual()   those asked for in most weeks at the same hour of the same day of the week
//
// Nothing is noted until keep() says for how long. At most `most_tags` are remembered: beyond that those asked for in
// the fewest hours are forgotten, of these the ones longest ago, so that who goes through all tags once displaces
// nothing. Kept in one small file, written by save(): what came after the last is lost when the process is killed. A
// file that makes no sense is set aside; one that cannot be read is left alone, and nothing is written. Thread-safe;
// load() and save() block, record() touches memory only. Errors: the file system's, corrupt.
#pragma once

#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
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

// The hours in which one tag was asked for: a bit an hour, week by week.
class PulledHours {
 public:
  static constexpr std::size_t hours_a_week = 168;
  using Week = std::bitset<hours_a_week>;

  bool add(LocalHour hour);  // whether it is new
  void add(std::int64_t week, const Week& hours) { weeks_[week] |= hours; }
  void forget_before(LocalHour hour);  // whole weeks
  [[nodiscard]] bool contains(LocalHour hour) const;
  [[nodiscard]] bool any_between(LocalHour first, LocalHour last) const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::int64_t last_week() const { return weeks_.rbegin()->first; }  // of one that is not empty
  [[nodiscard]] bool empty() const { return weeks_.empty(); }
  [[nodiscard]] const std::map<std::int64_t, Week>& weeks() const { return weeks_; }  // none without an hour

 private:
  std::map<std::int64_t, Week> weeks_;  // since 1970
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
  using Tags = std::map<std::string, PulledHours, std::less<>>;
  using Repositories = std::map<RepositoryKey, Tags>;

  template <typename F>
  [[nodiscard]] std::vector<PulledTags> select(F wanted) const;
  void forget_one() PADDOCK_REQUIRES(mutex_);
  void forget_old(LocalHour now) PADDOCK_REQUIRES(mutex_);

  FileSystem& fs_;
  const std::filesystem::path file_;
  const Clock& clock_;
  const Options options_;
  std::atomic<std::chrono::days> kept_{std::chrono::days(0)};
  std::atomic<bool> unreadable_{false};
  Mutex saving_;  // before mutex_
  mutable Mutex mutex_;
  Repositories repositories_ PADDOCK_GUARDED_BY(mutex_);
  std::size_t tags_ PADDOCK_GUARDED_BY(mutex_) = 0;
  bool changed_ PADDOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace paddock
