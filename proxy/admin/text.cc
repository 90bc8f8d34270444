#include "proxy/admin/text.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace paddock {
namespace {

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

void append_escaped(std::string& out, unsigned char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(byte));
  }
}

}  // namespace

std::string escape_hostile(std::string_view text, std::size_t limit) {
  std::string out;
  for (const unsigned char byte : text.substr(0, limit)) {
    if (is_control(byte) || byte >= 0x80) {
      append_escaped(out, byte);
    } else {
      if (byte == '"' || byte == '\\') out += '\\';
      out += static_cast<char>(byte);
    }
  }
  if (text.size() > limit) out += "...";
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string utc_seconds(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string utc_milliseconds(std::chrono::system_clock::time_point time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
  auto text = utc_seconds(second);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, millis);
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 100;
  // One decimal, and not 100 before all is there.
  const auto tenths = static_cast<double>(part) / static_cast<double>(whole) * 1000;
  return static_cast<double>(static_cast<std::uint64_t>(part < whole && tenths > 999 ? 999 : tenths)) / 10;
}

}  // namespace paddock
