#include "proxy/host/prepull/docker_progress.h"

#include <array>
#include <utility>

#include "proxy/host/prepull/loose_json.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;
constexpr JsonLimits line_limits{.depth = 8, .values = 200};

constexpr std::array<std::pair<std::string_view, LayerPhase>, 8> phases{{
    {"Pulling fs layer", LayerPhase::waiting},
    {"Waiting", LayerPhase::waiting},
    {"Downloading", LayerPhase::downloading},
    {"Verifying Checksum", LayerPhase::downloaded},
    {"Download complete", LayerPhase::downloaded},
    {"Extracting", LayerPhase::unpacking},
    {"Pull complete", LayerPhase::ready},
    {"Already exists", LayerPhase::ready},
}};

// Of {"current": 10, "total": 40} a quarter.
double share_of(const Json& detail) {
  if (!detail.is_object()) return 0;
  const auto &current = member(detail, "current"), &total = member(detail, "total");
  if (!current.is_number() || !total.is_number() || total.get<double>() <= 0) return 0;
  return current.get<double>() / total.get<double>();
}

std::string error_in(const Json& line) {
  const auto& detail = member(line, "errorDetail");
  auto message = detail.is_object() ? text_of(member(detail, "message")) : std::string();
  return message.empty() ? text_of(member(line, "error")) : message;
}

}  // namespace

void DockerProgress::feed(std::string_view bytes) {
  lines_.feed(bytes, [this](std::string_view line) { take(line); });
}

void DockerProgress::finish() {
  lines_.finish([this](std::string_view line) { take(line); });
}

void DockerProgress::take(std::string_view line) {
  const auto json = parse_strict_json(line, line_limits);
  if (!json || !json->is_object()) return;
  if (const auto error = error_in(*json); !error.empty() && error_.empty()) error_ = public_message(error);
  const auto status = text_of(member(*json, "status"));
  for (const auto& [word, phase] : phases) {
    if (status == word) progress_->set(text_of(member(*json, "id")), phase, share_of(member(*json, "progressDetail")));
  }
}

}  // namespace paddock
