#include "proxy/cli/prepull_view.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "proxy/admin/text.h"
#include "proxy/cli/format.h"

namespace paddock {
namespace {

using Json = nlohmann::ordered_json;

bool moves(const LayerProgress& layer) {
  return layer.phase == LayerPhase::downloading || layer.phase == LayerPhase::unpacking;
}

std::ptrdiff_t count(const std::vector<PrepullOutcome>& outcomes, PrepullState state) {
  return std::ranges::count(outcomes, state, &PrepullOutcome::state);
}

}  // namespace

Amount amount_of(const PullProgress& progress, std::uint64_t rate) {
  Amount amount{.done = progress.downloaded(), .total = progress.total(), .rate = rate};
  amount.percent = percent_of(amount.done, amount.total);
  if (rate > 0) amount.eta = (amount.total - std::min(amount.done, amount.total)) / rate;
  return amount;
}

std::string progress_line(const PullProgress& progress, std::uint64_t rate) {
  return fmt::format("{}; {} of {} layers ready", amount_text(amount_of(progress, rate)), progress.ready(),
                     progress.layers().size());
}

std::vector<std::string> progress_bars(const std::string& image, const PullProgress& progress, std::uint64_t rate,
                                       std::size_t width, std::size_t most) {
  std::vector<std::string> lines;
  for (const auto& layer : progress.layers()) {
    if (!moves(layer) || lines.size() + 1 >= most) continue;
    const auto name = fmt::format("{} {:11}", layer.id, to_string(layer.phase));
    const Amount amount{.percent = percent_of(layer.done, layer.size), .done = layer.done, .total = layer.size};
    lines.push_back(progress_bar(name, amount, width));
  }
  lines.push_back(progress_bar(image, amount_of(progress, rate), width));
  return lines;
}

std::string describe(const PrepullOutcome& outcome) {
  auto text = printable(outcome.image.to_string()) + ": ";
  if (outcome.state == PrepullState::present) text += "already there";
  if (outcome.state == PrepullState::pulled) text += "pulled";
  if (outcome.state == PrepullState::elsewhere) return text + "left out, the cache is not for that registry";
  if (outcome.state == PrepullState::failed) return text + printable(outcome.error ? outcome.error->context : "failed");
  return outcome.digest ? text + " (" + outcome.digest->to_string() + ")" : text;
}

Json outcome_json(const PrepullOutcome& outcome) {
  Json json{{"image", outcome.image.to_string()},
            {"state", to_string(outcome.state)},
            {"digest", outcome.digest ? Json(outcome.digest->to_string()) : Json(nullptr)}};
  json["error"] = outcome.error ? Json{{"code", to_string(outcome.error->code)}, {"message", outcome.error->context}}
                                : Json(nullptr);
  json["notes"] = outcome.notes;
  return json;
}

std::string summary(const std::vector<PrepullOutcome>& outcomes) {
  const auto present = count(outcomes, PrepullState::present), pulled = count(outcomes, PrepullState::pulled);
  const auto asked = std::ssize(outcomes) - count(outcomes, PrepullState::elsewhere);
  return fmt::format("{} of {} images are ready: {} already there, {} pulled", present + pulled, asked, present,
                     pulled);
}

}  // namespace paddock
