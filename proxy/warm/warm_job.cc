#include "proxy/warm/warm_job.h"

#include <algorithm>
#include <unordered_map>

namespace paddock {

std::uint64_t WarmJobs::Item::stored() const {
  if (blob.stored) return blob.size;
  return fill ? std::min(fill->status().received, blob.size) : 0;
}

WarmImage describe(const PlannedImage& image) {
  WarmImage out{.reference = image.reference,
                .name = image.name(),
                .digest = image.digest ? image.digest->to_string() : "",
                .platforms = image.platforms,
                .missing_platforms = image.missing_platforms,
                .state = image.error ? WarmState::failed : WarmState::queued,
                .error = image.error ? image.error->context : "",
                .nearest = image.nearest};
  bool complete = !image.error;
  for (const auto& blob : image.blobs) {
    out.progress.total += blob.size;
    if (blob.stored) out.progress.stored += blob.size;
    complete = complete && blob.stored;
  }
  if (complete) out.state = WarmState::complete;
  return out;
}

WarmJobs::Job::Job(const WarmJobReport& from)
    : id(from.id),
      request(from.request),
      created(from.created),
      state(is_final(from.state) ? from.state : WarmState::queued),
      finished(from.finished),
      error(from.error),
      shown_(from.images),
      total_(from.progress) {
  if (is_final(from.state)) return;
  shown_.clear();
  total_ = {};
  for (const auto& reference : request.images) shown_.push_back({.reference = reference});
}

bool WarmJobs::Job::over() const {
  const MutexLock lock(mutex);
  return is_final(state);
}

void WarmJobs::Job::set_state(WarmState to) {
  {
    const MutexLock lock(mutex);
    state = to;
  }
  changed.notify_all();
}

void WarmJobs::Job::plan(std::vector<PlannedImage> resolved) {
  const MutexLock lock(mutex);
  std::unordered_map<Digest, std::size_t> places;
  for (auto& image : resolved) {
    Planned planned{std::move(image), {}};
    for (const auto& blob : planned.image.blobs) {
      const auto [place, first] = places.try_emplace(blob.digest, items.size());
      if (first) items.push_back({.blob = blob, .image = images.size()});
      planned.items.push_back(place->second);
    }
    images.push_back(std::move(planned));
  }
}

std::optional<FillOrder> WarmJobs::Job::order(std::size_t item) const {
  const MutexLock lock(mutex);
  if (items[item].blob.stored) return std::nullopt;
  const auto& image = images[items[item].image].image;
  return FillOrder{.upstream = image.upstream.upstream,
                   .repository = image.repository.repository,
                   .digest = items[item].blob.digest,
                   .limits = image.upstream.limits,
                   .priority = FillPriority::background};
}

void WarmJobs::Job::set_fill(std::size_t item, std::shared_ptr<Fill> fill) {
  const MutexLock lock(mutex);
  items[item].fill = std::move(fill);
}

std::uint64_t WarmJobs::Job::set_stored(std::size_t item) {
  const MutexLock lock(mutex);
  items[item].blob.stored = true;
  return items[item].blob.size;
}

std::uint64_t WarmJobs::Job::stored(const Planned& planned) const {
  std::uint64_t bytes = 0;
  for (const auto index : planned.items) bytes += items[index].stored();
  return bytes;
}

WarmImage WarmJobs::Job::image_report(std::size_t index) const {
  const auto& planned = images[index];
  auto out = describe(planned.image);
  out.progress.stored = stored(planned);
  out.progress.rate = planned.meter.rate();
  out.progress.eta = planned.meter.eta(out.progress.total - std::min(out.progress.total, out.progress.stored));
  if (out.state == WarmState::failed) return out;
  bool complete = true;
  for (const auto item : planned.items) {
    complete = complete && items[item].blob.stored;
    if (items[item].error.empty()) continue;
    out.state = WarmState::failed;
    out.error = items[item].blob.digest.to_string() + ": " + items[item].error;
  }
  if (out.state != WarmState::failed) out.state = complete ? WarmState::complete : state;
  return out;
}

WarmProgress WarmJobs::Job::progress() const {
  WarmProgress sum;
  for (const auto& item : items) {
    sum.total += item.blob.size;
    sum.stored += item.stored();
  }
  sum.rate = meter_.rate();
  sum.eta = meter_.eta(sum.total - std::min(sum.total, sum.stored));
  return sum;
}

WarmJobReport WarmJobs::Job::report() const {
  const MutexLock lock(mutex);
  WarmJobReport out{.id = id,
                    .request = request,
                    .state = state,
                    .created = created,
                    .finished = finished,
                    .images = shown_,
                    .progress = total_,
                    .error = error};
  if (images.empty()) {
    for (auto& image : out.images) {
      if (!is_final(state)) image.state = state;
    }
    return out;
  }
  out.images.clear();
  for (std::size_t i = 0; i < images.size(); ++i) out.images.push_back(image_report(i));
  out.progress = progress();
  return out;
}

WarmJobReport WarmJobs::Job::changes() {
  auto out = report();
  const MutexLock lock(mutex);
  const auto before = std::exchange(told_, out.images);
  std::size_t index = 0;
  std::erase_if(out.images, [&](const WarmImage& image) {
    const auto at = index++;
    return at < before.size() && before[at] == image;
  });
  return out;
}

bool WarmJobs::Job::all_stored() const {
  const MutexLock lock(mutex);
  return std::ranges::all_of(items, [](const Item& item) { return item.blob.stored; });
}

std::set<PinName> WarmJobs::Job::meant() const {
  std::set<PinName> names;
  const MutexLock lock(mutex);
  for (const auto& planned : images) names.emplace(planned.image.repository, planned.image.target);
  return names;
}

void WarmJobs::Job::sample(SteadyTime now) {
  const MutexLock lock(mutex);
  if (images.empty()) return;
  meter_.sample(progress().stored, now);
  for (auto& planned : images) planned.meter.sample(stored(planned), now);
}

void WarmJobs::Job::settle(WarmState to, std::string why, WallTime now) {
  auto last = report();
  {
    const MutexLock lock(mutex);
    state = to;
    error = std::move(why);
    finished = now;
    shown_ = std::move(last.images);
    for (auto& image : shown_) {
      if (!is_final(image.state)) image.state = to == WarmState::complete ? WarmState::failed : to;
      image.progress.rate = 0;
      image.progress.eta.reset();
    }
    total_ = {.total = last.progress.total, .stored = last.progress.stored};
    images.clear();
    items.clear();
  }
  changed.notify_all();
}

}  // namespace paddock
