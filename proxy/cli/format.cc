#include "proxy/cli/format.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace paddock {
namespace {

std::vector<std::size_t> column_widths(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], printable(row[i]).size());
  }
  return widths;
}

}  // namespace

std::string format_duration(std::chrono::seconds duration) {
  auto rest = std::max<std::int64_t>(0, duration.count());
  static constexpr std::array<std::pair<std::int64_t, char>, 4> steps{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  std::size_t first = 0;
  while (first + 1 < steps.size() && rest < steps[first].first) ++first;
  auto text = fmt::format("{}{}", rest / steps[first].first, steps[first].second);
  rest %= steps[first].first;
  if (first + 1 < steps.size()) {
    text += fmt::format(" {}{}", rest / steps[first + 1].first, steps[first + 1].second);
  }
  return text;
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  const auto widths = column_widths(rows);
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line += "  ";
      const auto cell = printable(row[i]);
      line += cell + std::string(widths[i] - cell.size(), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return out;
}

}  // namespace paddock
