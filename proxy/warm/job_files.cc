#include "proxy/warm/job_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/oci/ascii.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;

std::int64_t seconds(WallTime time) { return time.time_since_epoch().count(); }

Json to_json(const WarmImage& image) {
  return {{"reference", image.reference},
          {"name", image.name},
          {"digest", image.digest},
          {"platforms", image.platforms},
          {"missing_platforms", image.missing_platforms},
          {"state", to_string(image.state)},
          {"total", image.progress.total},
          {"stored", image.progress.stored},
          {"error", image.error},
          {"nearest", image.nearest}};
}

Json to_json(const WarmJobReport& job) {
  Json images = Json::array();
  for (const auto& image : job.images) images.push_back(to_json(image));
  Json out = {{"version", 1},
              {"id", job.id},
              {"images", job.request.images},
              {"platforms", job.request.platforms},
              {"pin", job.request.pin.count()},
              {"rule", job.request.rule},
              {"ours_only", job.request.ours_only},
              {"displaces", job.request.displaces},
              {"state", to_string(job.state)},
              {"created", seconds(job.created)},
              {"total", job.progress.total},
              {"stored", job.progress.stored},
              {"error", job.error},
              {"results", std::move(images)}};
  if (job.finished) out["finished"] = seconds(*job.finished);
  return out;
}

// Takes the members it is asked for; afterwards `good` says whether each was there and of its type.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  template <typename T>
  T take(const char* name, bool (Json::*is)() const noexcept) {
    const auto found = json_.find(name);
    good_ = good_ && found != json_.end() && ((*found).*is)();
    return good_ ? found->get<T>() : T{};
  }
  std::string text(const char* name) { return take<std::string>(name, &Json::is_string); }
  std::uint64_t number(const char* name) { return take<std::uint64_t>(name, &Json::is_number_unsigned); }
  WallTime time(const char* name) {
    return WallTime(std::chrono::seconds(take<std::int64_t>(name, &Json::is_number_integer)));
  }
  std::chrono::seconds pin(const char* name) {
    const auto value = number(name);
    good_ = good_ && value <= static_cast<std::uint64_t>(longest_pin.count());
    return std::chrono::seconds(good_ ? value : 0);
  }
  bool flag(const char* name) { return take<bool>(name, &Json::is_boolean); }
  std::vector<std::string> texts(const char* name) {
    std::vector<std::string> out;
    for (const Json& item : take<Json>(name, &Json::is_array)) {
      good_ = good_ && item.is_string();
      if (good_) out.push_back(item.get<std::string>());
    }
    return out;
  }
  WarmState state() {
    const auto found = std::ranges::find(warm_states, text("state"));
    good_ = good_ && found != warm_states.end();
    return good_ ? static_cast<WarmState>(found - warm_states.begin()) : WarmState::failed;
  }
  [[nodiscard]] bool has(const char* name) const { return json_.contains(name); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  const Json& json_;
  bool good_ = json_.is_object();
};

std::unexpected<Error> broken() { return fail(ErrorCode::corrupt, Blame::us, "it is not a job of version 1"); }

Result<WarmImage> image_from(const Json& json) {
  Members members(json);
  if (!members.good()) return broken();
  WarmImage image{.reference = members.text("reference"),
                  .name = members.text("name"),
                  .digest = members.text("digest"),
                  .platforms = members.texts("platforms"),
                  .missing_platforms = members.texts("missing_platforms"),
                  .state = members.state(),
                  .progress = {.total = members.number("total"), .stored = members.number("stored")},
                  .error = members.text("error"),
                  .nearest = members.texts("nearest")};
  if (!members.good()) return broken();
  return image;
}

Result<WarmJobReport> job_from(const Json& json) {
  Members members(json);
  if (!members.good() || members.number("version") != 1) return broken();
  WarmJobReport job{.id = members.text("id"),
                    .request = {.images = members.texts("images"),
                                .platforms = members.texts("platforms"),
                                .pin = members.pin("pin"),
                                .rule = members.text("rule"),
                                .ours_only = members.flag("ours_only")},
                    .state = members.state(),
                    .created = members.time("created"),
                    .progress = {.total = members.number("total"), .stored = members.number("stored")},
                    .error = members.text("error")};
  if (members.has("displaces")) job.request.displaces = members.flag("displaces");
  if (members.has("finished")) job.finished = members.time("finished");
  const Json results = members.take<Json>("results", &Json::is_array);
  if (!members.good()) return broken();
  for (const Json& result : results) {
    auto image = image_from(result);
    if (!image) return std::unexpected(std::move(image).error());
    job.images.push_back(*std::move(image));
  }
  return job;
}

Result<WarmJobReport> read(FileSystem& fs, const std::filesystem::path& path, std::uint64_t limit) {
  const auto content = read_file(fs, path, limit);
  if (!content) return std::unexpected(content.error());
  const auto json = parse_strict_json(*content);
  if (!json) return std::unexpected(json.error());
  auto job = job_from(*json);
  if (job && job->id + ".json" != path.filename()) return broken();
  return job;
}

}  // namespace

bool is_job_id(std::string_view text) {
  constexpr std::size_t longest = 12;  // far beyond any clock
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, is_hex);
}

Result<void> JobFiles::save(const WarmJobReport& job) {
  return write_file_durably(fs_, path_of(job.id), to_json(job).dump(1, ' ', false, Json::error_handler_t::replace));
}

Result<void> JobFiles::erase(const std::string& id) {
  const auto removed = fs_.remove(path_of(id));
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  return removed;
}

Result<std::vector<WarmJobReport>> JobFiles::load() {
  const auto entries = fs_.list(folder_);
  if (!entries) return std::unexpected(entries.error());
  std::vector<WarmJobReport> jobs;
  for (const auto& entry : *entries) {
    const auto path = folder_ / entry.name;
    if (entry.name.ends_with(".tmp")) {
      if (auto removed = fs_.remove(path); !removed) spdlog::warn("{}: {}", path.string(), removed.error().context);
      continue;
    }
    if (entry.is_directory || !entry.name.ends_with(".json")) continue;
    if (!is_job_id(std::string_view(entry.name).substr(0, entry.name.size() - 5))) continue;
    auto job = read(fs_, path, max_file_size);
    if (job) {
      jobs.push_back(*std::move(job));
    } else {
      spdlog::error("{} is passed over: {}", path.string(), job.error().context);
    }
  }
  std::ranges::sort(jobs, {}, [](const auto& job) { return std::pair(job.created, job.id); });
  return jobs;
}

}  // namespace paddock
