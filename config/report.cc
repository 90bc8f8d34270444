#include "config/report.h"

#include <algorithm>

#include "config/text.h"

namespace paddock::config {
namespace {

constexpr std::size_t problem_limit = 50;

}  // namespace

void Report::add(std::string_view where, std::string_view problem) {
  std::string line = where.empty() ? std::string(problem) : cat({where, ": ", problem});
  if (std::ranges::find(problems_, line) != problems_.end()) return;
  if (problems_.size() >= problem_limit) {
    ++left_out_;
    return;
  }
  problems_.push_back(std::move(line));
}

void Report::add_at(std::string_view path, std::string_view problem) { add(origin(path), cat({path, ": ", problem})); }

void Report::forget_origins(std::string_view prefix) {
  std::erase_if(origins_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

std::string Report::origin(std::string_view path) const {
  while (true) {
    const auto found = origins_.find(path);
    if (found != origins_.end()) return found->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string_view::npos) return {};
    path = path.substr(0, cut);
  }
}

std::string Report::text() const {
  std::string text;
  for (const std::string& problem : problems_) text += (text.empty() ? "" : "\n") + problem;
  if (left_out_ > 0) text += "\nand " + std::to_string(left_out_) + " more";
  return text;
}

}  // namespace paddock::config
