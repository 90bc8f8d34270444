#include "proxy/cli/live_lines.h"

#include <algorithm>
#include <iostream>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace paddock {
namespace {

constexpr std::size_t most_lines = 12;

}  // namespace

LiveLines::LiveLines(std::ostream& out) : out_(out), live_(&out == &std::cout && ::isatty(STDOUT_FILENO) != 0) {}

LiveLines::Room LiveLines::room() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  const std::size_t columns = known ? size.ws_col : 80, rows = known ? size.ws_row : 24;
  return {columns - 1, std::clamp<std::size_t>(rows - 1, 1, most_lines)};
}

void LiveLines::paint(const std::vector<std::string>& lines) {
  clear();
  for (const auto& line : lines) out_ << line << '\n';
  out_ << std::flush;
  painted_ = lines.size();
}

void LiveLines::clear() {
  if (painted_ > 0) out_ << fmt::format("\x1b[{}A\x1b[J", painted_) << std::flush;
  painted_ = 0;
}

}  // namespace paddock
