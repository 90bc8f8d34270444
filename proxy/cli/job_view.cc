#include "proxy/cli/job_view.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#include "proxy/cli/format.h"
#include "proxy/cli/progress_bar.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

std::string percent(const JsonView& of) { return fmt::format("{:.0f}%", std::min(of.real("percent"), 100.0)); }

Amount amount_of(const JsonView& of) {
  return {.percent = of.real("percent"),
          .done = of.number("stored_bytes"),
          .total = of.number("total_bytes"),
          .rate = of.number("bytes_per_second"),
          .eta = of.number("eta_seconds")};
}

std::size_t count(const JsonView& job, std::string_view state) {
  const auto images = job.items("images");
  return static_cast<std::size_t>(
      std::ranges::count_if(images, [&](const JsonView& image) { return image.text("state") == state; }));
}

std::string name_of(const JsonView& image) {
  const auto name = image.text("name");
  return printable(name.empty() ? image.text("reference") : name);
}

std::string why(const JsonView& image) {
  std::string text = image.text("error");
  const auto nearest = image.texts("nearest");
  for (std::size_t i = 0; i < nearest.size(); ++i) text += (i == 0 ? "; nearest: " : ", ") + nearest[i];
  return printable(text);
}

std::string state_of(const JsonView& image) {
  auto error = why(image);
  if (!error.empty()) return error;
  const auto missing = image.texts("missing_platforms");
  auto state = image.text("state");
  for (const auto& platform : missing) state += "; not made for " + platform;
  return state;
}

std::string platforms_of(const JsonView& image) {
  std::string text;
  for (const auto& platform : image.texts("platforms")) text += (text.empty() ? "" : ",") + platform;
  return text.empty() ? "-" : text;
}

std::string table_of(const JsonView& of) {
  std::vector<std::vector<std::string>> rows{{"IMAGE", "PLATFORMS", "SIZE", "CACHED", "STATE"}};
  for (const auto& image : of.items("images")) {
    rows.push_back({name_of(image), platforms_of(image), human_bytes(image.number("total_bytes")), percent(image),
                    state_of(image)});
  }
  return format_table(rows);
}

}  // namespace

bool is_over(const JsonView& job) {
  const auto state = job.text("state");
  return state == "complete" || state == "failed" || state == "cancelled";
}

bool is_complete(const JsonView& job) { return job.text("state") == "complete"; }

std::string progress_line(const JsonView& job) {
  const auto state = job.text("state");
  if (state == "queued") return "waits for other warm-ups";
  if (state == "resolving") return fmt::format("looks up what it needs ({} images)", job.items("images").size());
  return fmt::format("{}; {} of {} images complete", amount_text(amount_of(job)), count(job, "complete"),
                     job.items("images").size());
}

std::vector<std::string> progress_bars(const JsonView& job, std::size_t width, std::size_t most) {
  std::vector<std::string> lines;
  const auto images = job.items("images");
  for (const auto& image : images) {
    const bool moving = image.text("state") == "filling" && image.number("stored_bytes") < image.number("total_bytes");
    if (moving && lines.size() + 1 < most && images.size() > 1)
      lines.push_back(progress_bar(name_of(image), amount_of(image), width));
  }
  const auto state = job.text("state");
  const bool counts = state != "queued" && state != "resolving";
  const auto label = images.size() == 1 ? name_of(images.front())
                                        : fmt::format("{} of {} images", count(job, "complete"), images.size());
  lines.push_back(counts ? progress_bar(label, amount_of(job), width) : progress_line(job).substr(0, width));
  return lines;
}

std::vector<std::string> failures(const JsonView& job) {
  std::vector<std::string> lines;
  for (const auto& image : job.items("images")) {
    if (image.text("state") == "failed") lines.push_back(name_of(image) + ": " + why(image));
  }
  if (const auto error = job.text("error"); !error.empty()) lines.push_back(printable(error));
  return lines;
}

std::string describe_plan(const JsonView& plan) {
  auto text = table_of(plan);
  text += fmt::format("{} in all, {} of it are cached, {} to be fetched\n", human_bytes(plan.number("total_bytes")),
                      human_bytes(plan.number("stored_bytes")), human_bytes(plan.number("missing_bytes")));
  return text + (plan.flag("fits") ? "it fits\n" : "it does not fit: " + printable(plan.text("remedy")) + "\n");
}

std::string describe_job(const JsonView& job) {
  std::string text =
      fmt::format("job {}, {}: {}\n", printable(job.text("job")), printable(job.text("state")), progress_line(job));
  if (const auto error = job.text("error"); !error.empty()) text += printable(error) + "\n";
  return text + table_of(job);
}

std::string describe_jobs(const JsonView& answer) {
  std::vector<std::vector<std::string>> rows{{"JOB", "STATE", "IMAGES", "DONE", "CREATED", "RULE", "ERROR"}};
  for (const auto& job : answer.items("jobs")) {
    const auto rule = job.text("rule"), error = job.text("error");
    rows.push_back({job.text("job"), job.text("state"), std::to_string(job.number("image_count")),
                    percent(job) + " of " + human_bytes(job.number("total_bytes")), job.text("created"),
                    rule.empty() ? "-" : rule, error.empty() ? "-" : error});
  }
  return rows.size() == 1 ? "there are no warm-ups\n" : format_table(rows);
}

}  // namespace paddock
