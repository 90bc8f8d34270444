#include "proxy/warm/pull_history.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::weeks;

constexpr std::uint64_t file_limit = 64U << 20U;  // bytes
constexpr JsonLimits json_limits{.depth = 6, .values = 4'000'000};

std::int64_t number(LocalHour hour) { return hour.time_since_epoch().count(); }

bool is_usual(const std::deque<LocalHour>& pulled, LocalHour hour, std::int64_t weeks_back) {
  std::int64_t times = 0;
  for (std::int64_t week = 1; week <= weeks_back; ++week) {
    times += std::ranges::binary_search(pulled, hour - weeks(week)) ? 1 : 0;
  }
  return times >= std::max((weeks_back + 1) / 2, std::min<std::int64_t>(weeks_back, 2));
}

struct Entry {
  RepositoryKey repository;
  std::string tag;
  std::deque<LocalHour> hours;
};

std::optional<Entry> to_entry(const Json& json) {
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) return std::nullopt;
  Entry entry{{text("upstream"), text("repository")}, text("tag"), {}};
  const auto hours = json.find("hours");
  if (hours == json.end() || !hours->is_array() || entry.tag.empty()) return std::nullopt;
  for (const auto& hour : *hours) {
    if (!hour.is_number_integer()) return std::nullopt;
    entry.hours.push_back(LocalHour(std::chrono::hours(hour.get<std::int32_t>())));
  }
  if (entry.hours.empty() || !std::ranges::is_sorted(entry.hours)) return std::nullopt;
  return entry;
}

std::optional<std::vector<Entry>> parse(const std::string& text) {
  const auto json = parse_strict_json(text, json_limits);
  if (!json || !json->is_object() || !json->contains("tags") || !(*json)["tags"].is_array()) return std::nullopt;
  std::vector<Entry> entries;
  for (const auto& each : (*json)["tags"]) {
    auto entry = to_entry(each);
    if (!entry) return std::nullopt;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace

LocalHour local_hour(WallTime time, const UtcOffset& offset) {
  const auto local = time.time_since_epoch() + offset(time);
  return LocalHour(std::chrono::floor<hours>(local));
}

PullHistory::PullHistory(FileSystem& fs, std::filesystem::path file, const Clock& clock, Options options)
    : fs_(fs), file_(std::move(file)), clock_(clock), options_(std::move(options)) {}

void PullHistory::keep(days time) { kept_ = time; }

void PullHistory::record(const RepositoryKey& repository, std::string_view tag) {
  if (kept_.load(std::memory_order_relaxed).count() == 0) return;
  const auto now = hour_of(clock_.wall());
  const MutexLock lock(mutex_);
  auto& tags = repositories_[repository];
  auto known = tags.find(tag);
  if (known == tags.end()) {
    while (tags_ >= options_.most_tags) forget_one();
    known = repositories_[repository].emplace(tag, Hours{}).first;
    ++tags_;
  }
  add(known->second, now);
}

// What lies in the future was noted by a clock that has been set since.
void PullHistory::add(Hours& hours, LocalHour hour) {
  while (!hours.empty() && hours.back() > hour) hours.pop_back();
  if (!hours.empty() && hours.back() == hour) return;
  hours.push_back(hour);
  changed_ = true;
}

void PullHistory::forget_one() {
  RepositoryKey repository;
  std::string tag;
  auto oldest = LocalHour::max();
  for (const auto& [key, tags] : repositories_) {
    for (const auto& [name, hours] : tags) {
      if (hours.back() >= oldest) continue;
      oldest = hours.back();
      repository = key;
      tag = name;
    }
  }
  auto& tags = repositories_[repository];
  tags.erase(tag);
  if (tags.empty()) repositories_.erase(repository);
  --tags_;
}

void PullHistory::forget_old(LocalHour now) {
  const auto kept = kept_.load();
  if (kept.count() == 0) return;
  for (auto repository = repositories_.begin(); repository != repositories_.end();) {
    auto& tags = repository->second;
    for (auto& [tag, hours] : tags) hours.erase(hours.begin(), std::ranges::lower_bound(hours, now - kept));
    tags_ -= std::erase_if(tags, [](const auto& tag) { return tag.second.empty(); });
    repository = tags.empty() ? repositories_.erase(repository) : std::next(repository);
  }
}

template <typename F>
std::vector<PulledTags> PullHistory::select(F wanted) const {
  std::vector<PulledTags> found;
  const MutexLock lock(mutex_);
  for (const auto& [repository, tags] : repositories_) {
    PulledTags of_repository{repository, {}};
    for (const auto& [tag, hours] : tags) {
      if (wanted(hours)) of_repository.tags.push_back(tag);
    }
    if (!of_repository.tags.empty()) found.push_back(std::move(of_repository));
  }
  return found;
}

std::vector<PulledTags> PullHistory::pulled(days within) const {
  const auto since = hour_of(clock_.wall()) - within;
  return select([since](const Hours& hours) { return hours.back() >= since; });
}

std::vector<PulledTags> PullHistory::usual(LocalHour hour, days within) const {
  const auto weeks_back = std::chrono::floor<weeks>(within).count();
  return select([hour, weeks_back](const Hours& hours) { return is_usual(hours, hour, weeks_back); });
}

Result<void> PullHistory::load() {
  const auto content = read_file(fs_, file_, file_limit);
  if (!content && content.error().code == ErrorCode::not_found) return {};
  if (!content) return std::unexpected(content.error());
  const auto entries = parse(*content);
  if (!entries) return fail(ErrorCode::corrupt, Blame::us, file_.string() + " is damaged");
  const MutexLock lock(mutex_);
  for (const auto& entry : *entries) {
    if (tags_ == options_.most_tags) break;
    const auto [tag, first] = repositories_[entry.repository].emplace(entry.tag, entry.hours);
    tags_ += first ? 1 : 0;
  }
  return {};
}

Result<void> PullHistory::save() {
  const MutexLock one_at_a_time(saving_);
  Json list = Json::array();
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(changed_, false)) return {};
    forget_old(hour_of(clock_.wall()));
    for (const auto& [repository, tags] : repositories_) {
      for (const auto& [tag, pulled] : tags) {
        Json hours = Json::array();
        for (const auto& hour : pulled) hours.push_back(number(hour));
        list.push_back({{"upstream", repository.upstream},
                        {"repository", repository.repository},
                        {"tag", tag},
                        {"hours", std::move(hours)}});
      }
    }
  }
  const Json json = {{"version", 1}, {"tags", std::move(list)}};
  auto saved = write_file_durably(fs_, file_, json.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!saved) {
    const MutexLock lock(mutex_);
    changed_ = true;
  }
  return saved;
}

}  // namespace paddock
