#include "proxy/warm/pull_history.h"

#include <algorithm>
#include <charconv>
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

constexpr std::uint64_t file_limit = 16U << 20U;  // bytes
constexpr std::size_t most_weeks = 20;            // of one tag, in a file

std::int64_t week_of(LocalHour hour) { return std::chrono::floor<weeks>(hour.time_since_epoch()).count(); }

std::size_t hour_of_week(LocalHour hour) {
  return static_cast<std::size_t>((hour.time_since_epoch() - weeks(week_of(hour))).count());
}

bool is_usual(const PulledHours& pulled, LocalHour hour, std::int64_t weeks_back) {
  std::int64_t times = 0;
  for (std::int64_t week = 1; week <= weeks_back; ++week) times += pulled.contains(hour - weeks(week)) ? 1 : 0;
  return times >= std::max((weeks_back + 1) / 2, std::min<std::int64_t>(weeks_back, 2));
}

struct Entry {
  RepositoryKey repository;
  std::string tag;
  PulledHours hours;
};

std::optional<std::int64_t> to_number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

std::optional<Entry> to_entry(const Json& json) {
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) return std::nullopt;
  Entry entry{{text("upstream"), text("repository")}, text("tag"), {}};
  const auto of_weeks = json.find("weeks");
  if (of_weeks == json.end() || !of_weeks->is_object() || entry.tag.empty()) return std::nullopt;
  if (of_weeks->empty() || of_weeks->size() > most_weeks) return std::nullopt;
  for (const auto& [name, bits] : of_weeks->items()) {
    const auto week = to_number(name);
    const auto value = bits.is_string() ? bits.get<std::string>() : std::string();
    const bool is_week = value.size() == PulledHours::hours_a_week && value.contains('1') &&
                         value.find_first_not_of("01") == std::string::npos;
    if (!week || !is_week) return std::nullopt;
    entry.hours.add(*week, PulledHours::Week(value));
  }
  return entry;
}

std::optional<std::vector<Entry>> parse(const std::string& text) {
  const auto json = parse_strict_json(text);
  if (!json || !json->is_object() || !json->contains("tags") || !(*json)["tags"].is_array()) return std::nullopt;
  std::vector<Entry> entries;
  for (const auto& each : (*json)["tags"]) {
    auto entry = to_entry(each);
    if (!entry) return std::nullopt;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Json to_json(const RepositoryKey& repository, const std::string& tag, const PulledHours& pulled) {
  Json of_weeks = Json::object();
  for (const auto& [week, bits] : pulled.weeks()) of_weeks[std::to_string(week)] = bits.to_string();
  return {{"upstream", repository.upstream},
          {"repository", repository.repository},
          {"tag", tag},
          {"weeks", std::move(of_weeks)}};
}

}  // namespace

LocalHour local_hour(WallTime time, const UtcOffset& offset) {
  const auto local = time.time_since_epoch() + offset(time);
  return LocalHour(std::chrono::floor<hours>(local));
}

bool PulledHours::add(LocalHour hour) {
  auto bit = weeks_[week_of(hour)][hour_of_week(hour)];
  if (bit) return false;
  bit = true;
  return true;
}

void PulledHours::forget_before(LocalHour hour) { weeks_.erase(weeks_.begin(), weeks_.lower_bound(week_of(hour))); }

bool PulledHours::contains(LocalHour hour) const {
  const auto week = weeks_.find(week_of(hour));
  return week != weeks_.end() && week->second[hour_of_week(hour)];
}

bool PulledHours::any_between(LocalHour first, LocalHour last) const {
  const auto end = weeks_.upper_bound(week_of(last));
  return std::any_of(weeks_.lower_bound(week_of(first)), end, [&](const auto& week) {
    const auto from = week.first == week_of(first) ? hour_of_week(first) : 0;
    const auto to = week.first == week_of(last) ? hour_of_week(last) : hours_a_week - 1;
    for (auto i = from; i <= to; ++i) {
      if (week.second[i]) return true;
    }
    return false;
  });
}

std::size_t PulledHours::count() const {
  std::size_t sum = 0;
  for (const auto& [week, bits] : weeks_) sum += bits.count();
  return sum;
}

PullHistory::PullHistory(FileSystem& fs, std::filesystem::path file, const Clock& clock, Options options)
    : fs_(fs), file_(std::move(file)), clock_(clock), options_(std::move(options)) {}

void PullHistory::keep(days time) { kept_ = time; }

void PullHistory::record(const RepositoryKey& repository, std::string_view tag) {
  if (kept_.load(std::memory_order_relaxed).count() == 0) return;
  const auto now = hour_of(clock_.wall());
  const MutexLock lock(mutex_);
  const auto tags = repositories_.find(repository);
  if (tags != repositories_.end()) {
    if (const auto known = tags->second.find(tag); known != tags->second.end()) {
      if (known->second.add(now)) changed_ = true;
      return;
    }
  }
  if (tags_ >= options_.most_tags) forget_one();
  repositories_[repository][std::string(tag)].add(now);
  ++tags_;
  changed_ = true;
}

void PullHistory::forget_one() {
  using Rank = std::pair<std::size_t, std::int64_t>;
  std::optional<Rank> least;
  Repositories::iterator repository;
  Tags::iterator tag;
  for (auto of = repositories_.begin(); of != repositories_.end(); ++of) {
    for (auto it = of->second.begin(); it != of->second.end(); ++it) {
      const Rank rank{it->second.count(), it->second.last_week()};
      if (least && rank >= *least) continue;
      least = rank;
      repository = of;
      tag = it;
    }
  }
  if (!least) return;
  repository->second.erase(tag);
  if (repository->second.empty()) repositories_.erase(repository);
  --tags_;
}

void PullHistory::forget_old(LocalHour now) {
  const auto kept = kept_.load();
  if (kept.count() == 0) return;
  for (auto repository = repositories_.begin(); repository != repositories_.end();) {
    auto& tags = repository->second;
    for (auto& [tag, pulled] : tags) pulled.forget_before(now - kept);
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
    for (const auto& [tag, pulled] : tags) {
      if (wanted(pulled)) of_repository.tags.push_back(tag);
    }
    if (!of_repository.tags.empty()) found.push_back(std::move(of_repository));
  }
  return found;
}

std::vector<PulledTags> PullHistory::pulled(days within) const {
  const auto now = hour_of(clock_.wall());
  return select([now, within](const PulledHours& pulled) { return pulled.any_between(now - within, now); });
}

std::vector<PulledTags> PullHistory::usual(LocalHour hour, days within) const {
  const auto weeks_back = std::chrono::floor<weeks>(within).count();
  return select([hour, weeks_back](const PulledHours& pulled) { return is_usual(pulled, hour, weeks_back); });
}

Result<void> PullHistory::load() {
  const auto content = read_file(fs_, file_, file_limit);
  if (!content && content.error().code == ErrorCode::not_found) return {};
  if (!content) {
    unreadable_ = true;
    return std::unexpected(content.error());
  }
  const auto entries = parse(*content);
  if (!entries) {
    auto aside = file_;
    aside += ".damaged";
    if (auto moved = fs_.rename(file_, aside); !moved) return moved;
    return fail(ErrorCode::corrupt, Blame::us, file_.string() + " makes no sense; it is " + aside.string() + " now");
  }
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
  if (unreadable_) return {};
  Repositories copy;
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(changed_, false)) return {};
    forget_old(hour_of(clock_.wall()));
    copy = repositories_;
  }
  Json list = Json::array();
  for (const auto& [repository, tags] : copy) {
    for (const auto& [tag, pulled] : tags) list.push_back(to_json(repository, tag, pulled));
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
