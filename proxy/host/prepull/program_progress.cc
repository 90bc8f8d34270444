#include "proxy/host/prepull/program_progress.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace paddock {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

// Takes the digits of a digest off the front.
std::string_view take_hex(std::string_view& text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  const auto hex = text.substr(0, text.find_first_not_of(hex_digits));
  text.remove_prefix(hex.size());
  return hex;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// "1.5 MiB"
std::optional<double> parse_amount(std::string_view text) {
  text = trimmed(text);
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc()) return std::nullopt;
  const auto unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"B", 1}, {"b", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {"TiB", 1099511627776}}};
  for (const auto& [name, factor] : units) {
    if (unit == name) return amount * factor;
  }
  return std::nullopt;
}

// "1.0 MiB/4.0 MiB" is a quarter.
double parse_share(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return 0;
  const auto done = parse_amount(text.substr(0, slash)), total = parse_amount(text.substr(slash + 1));
  return done && total && *total > 0 ? *done / *total : 0;
}

}  // namespace

void take_ctr_line(std::string_view line, PullProgress& progress) {
  constexpr std::string_view start = "layer-";
  if (!line.starts_with(start)) return;
  line.remove_prefix(start.size());
  const auto id = take_hex(line);
  if (!line.starts_with(':')) return;
  const auto state = trimmed(line.substr(1, line.find('|') - 1));
  if (state == "waiting") progress.set(id, LayerPhase::waiting);
  if (state == "downloading") progress.set(id, LayerPhase::downloading, parse_share(line.substr(line.rfind('|') + 1)));
  // Unpacking comes after the last one, and nothing is said of it.
  if (state == "done" || state == "exists") progress.set(id, LayerPhase::downloaded);
}

void take_podman_line(std::string_view line, PullProgress& progress) {
  constexpr std::string_view blob = "Copying blob ";
  if (line.contains("Writing manifest")) return progress.all_ready();
  const auto at = line.find(blob);  // behind what moves the cursor
  if (at == std::string_view::npos) return;
  line.remove_prefix(at + blob.size());
  const auto id = take_hex(line);
  if (line.contains("skipped")) return progress.set(id, LayerPhase::ready);
  if (line.contains("done")) return progress.set(id, LayerPhase::downloaded);
  const auto amounts = line.substr(line.find(']') + 1);
  progress.set(id, LayerPhase::downloading, parse_share(amounts.substr(0, amounts.find('|'))));
}

}  // namespace paddock
