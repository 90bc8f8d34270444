#include "proxy/oci/printable.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>

#include "proxy/oci/ascii.h"

namespace paddock {
namespace {

constexpr std::size_t message_limit = 600;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Where a URL or a credential ends in running text.
std::size_t word_end(std::string_view text, std::size_t from) {
  return std::min(text.find_first_of(" \"'<>,;", from), text.size());
}

std::string without_url_secrets(std::string_view text) {
  std::string out;
  std::size_t position = 0;
  while (true) {
    const std::size_t scheme = text.find("://", position);
    if (scheme == std::string_view::npos) break;
    const std::size_t start = scheme + 3;
    const std::size_t end = word_end(text, start);
    const std::string_view url = text.substr(start, end - start);
    const std::size_t authority_end = std::min(url.find_first_of("/?#"), url.size());
    const std::size_t at = url.substr(0, authority_end).rfind('@');
    const std::size_t visible = at == std::string_view::npos ? 0 : at + 1;
    const std::size_t query = std::min(url.find('?', visible), url.size());
    out.append(text, position, start - position).append(url, visible, query - visible);
    if (query < url.size()) out += "?...";
    position = end;
  }
  return out.append(text, position);
}

std::string without_credentials(std::string_view text) {
  static constexpr std::array<std::string_view, 2> schemes{"bearer ", "basic "};
  std::string out;
  std::size_t position = 0;
  while (position < text.size()) {
    const auto* scheme = std::ranges::find_if(
        schemes, [&](std::string_view word) { return same_without_case(text.substr(position, word.size()), word); });
    if (scheme == schemes.end()) {
      out += text[position++];
      continue;
    }
    const std::size_t start = position + scheme->size();
    const std::size_t end = word_end(text, start);
    const std::string_view word = text.substr(start, end - start);
    out.append(text, position, scheme->size());
    // A challenge's first parameter (realm=) and an ordinary word are no secrets.
    const bool harmless = word.size() < 16 || word.starts_with("realm=");
    out.append(harmless ? word : "[hidden]");
    position = end;
  }
  return out;
}

}  // namespace

std::string quote(std::string_view text, std::size_t limit) {
  std::string out = "'";
  for (const char c : text.substr(0, limit)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > limit) out += "...";
  return out += '\'';
}

std::string public_message(std::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, 4 * message_limit)) {
    if (c == '\n' || c == '\t')
      plain += ' ';
    else if (!is_control(c))
      plain += c;
  }
  std::string out = without_credentials(without_url_secrets(plain));
  if (out.size() > message_limit) {
    std::size_t end = message_limit;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) --end;  // not within a character
    out.resize(end);
    out += "...";
  }
  return out;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {  // what would be shown as 1024.0 is one of the next unit
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace paddock
