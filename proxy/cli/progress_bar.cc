#include "proxy/cli/progress_bar.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#include "proxy/cli/format.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t narrowest_bar = 10;
constexpr std::uint64_t longest_eta = 1'000'000'000;

std::string percent(const Amount& amount) { return fmt::format("{:.0f}%", std::min(amount.percent, 100.0)); }

std::string bytes_and_pace(const Amount& amount) {
  auto text = human_bytes(amount.done) + " of " + human_bytes(amount.total);
  if (amount.rate > 0) text += ", " + human_bytes(amount.rate) + "/s";
  if (amount.eta > 0) {
    text += ", " + format_duration(std::chrono::seconds(std::min(amount.eta, longest_eta))) + " left";
  }
  return text;
}

std::string shortened(const std::string& name, std::size_t width) {
  if (name.size() <= width) return name;
  return width <= 3 ? name.substr(name.size() - width) : "..." + name.substr(name.size() - (width - 3));
}

}  // namespace

std::string amount_text(const Amount& amount) { return percent(amount) + ", " + bytes_and_pace(amount); }

std::string progress_bar(const std::string& name, const Amount& amount, std::size_t width) {
  const std::string figures = " " + percent(amount) + " " + bytes_and_pace(amount);
  const std::size_t left = width > figures.size() + 3 ? width - figures.size() - 3 : 0;
  if (left < 2 * narrowest_bar) return (shortened(name, std::min(width, narrowest_bar)) + figures).substr(0, width);
  const std::size_t name_width = std::min(name.size(), left - std::max(narrowest_bar, left / 3));
  const std::size_t room = left - name_width;
  const auto done = static_cast<std::size_t>(std::clamp(amount.percent, 0.0, 100.0) / 100 * static_cast<double>(room));
  return shortened(name, name_width) + " [" + std::string(done, '#') + std::string(room - done, '-') + "]" + figures;
}

}  // namespace paddock
