// One job's working state. Private to WarmJobs.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/fill/fill.h"
#include "proxy/warm/jobs.h"
#include "proxy/warm/pin_plan.h"
#include "proxy/warm/rate_meter.h"
#include "storage/notifier.h"

namespace paddock {

// A blob that one or more of the job's images name.
struct WarmJobs::Item {
  PlannedBlob blob;
  std::size_t image = 0;         // the first of them: it is fetched through its upstream
  std::shared_ptr<Fill> fill{};  // while it is on its way
  std::string error{};

  [[nodiscard]] std::uint64_t stored() const;  // bytes
};

struct WarmJobs::Job {
  struct Planned {
    PlannedImage image;
    std::vector<std::size_t> items;
    RateMeter meter{};
  };

  explicit Job(const WarmJobReport& from);

  [[nodiscard]] WarmJobReport report() const;
  // Those images that are not as they were when this was last asked.
  [[nodiscard]] WarmJobReport changes();
  void set_state(WarmState to);
  // What it needs is known.
  void plan(std::vector<PlannedImage> resolved);
  void sample(SteadyTime now);
  // How to get a blob; nothing where it is there.
  [[nodiscard]] std::optional<FillOrder> order(std::size_t item) const;
  void set_fill(std::size_t item, std::shared_ptr<Fill> fill);
  std::uint64_t set_stored(std::size_t item);  // its size
  [[nodiscard]] bool all_stored() const;
  // All images it is about, as they are pinned, those too that could not be had.
  [[nodiscard]] std::set<PinName> meant() const;
  // It is over: what it worked with goes.
  void settle(WarmState to, std::string why, WallTime now);
  [[nodiscard]] bool over() const;

  const std::string id;
  const WarmRequest request;
  const WallTime created;
  std::atomic<bool> cancelled{false};
  Notifier changed;  // its state, or that it is cancelled

  mutable Mutex mutex;
  WarmState state PADDOCK_GUARDED_BY(mutex);
  std::optional<WallTime> finished PADDOCK_GUARDED_BY(mutex);
  std::string error PADDOCK_GUARDED_BY(mutex);
  std::vector<Item> items PADDOCK_GUARDED_BY(mutex);
  std::vector<Planned> images PADDOCK_GUARDED_BY(mutex);  // while it is at work

 private:
  [[nodiscard]] WarmImage image_report(std::size_t index) const PADDOCK_REQUIRES(mutex);
  [[nodiscard]] WarmProgress progress() const PADDOCK_REQUIRES(mutex);
  [[nodiscard]] std::uint64_t stored(const Planned& planned) const PADDOCK_REQUIRES(mutex);

  RateMeter meter_ PADDOCK_GUARDED_BY(mutex);
  std::vector<WarmImage> shown_ PADDOCK_GUARDED_BY(mutex);  // before and after
  WarmProgress total_ PADDOCK_GUARDED_BY(mutex);            // after
  std::vector<WarmImage> told_ PADDOCK_GUARDED_BY(mutex);
};

// As it was found, with nothing fetched.
WarmImage describe(const PlannedImage& image);

}  // namespace paddock
