#include "proxy/net/http.h"

#include <algorithm>

#include "proxy/net/url.h"

namespace paddock {
namespace {

// Not std::tolower: header names are ASCII, whatever the locale is.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
  const auto is_it = [name](const Field& field) { return same_name(field.first, name); };
  const auto first = std::ranges::find_if(fields_, is_it);
  if (first == fields_.end()) {
    fields_.emplace_back(name, std::move(value));
    return;
  }
  first->second = std::move(value);
  fields_.erase(std::remove_if(first + 1, fields_.end(), is_it), fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return same_name(field.first, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : fields_) {
    if (same_name(key, name)) found.emplace_back(value);
  }
  return found;
}

// '+' stays itself: media types (application/vnd.oci.image.config.v1+json) are sent with and without escaping, and
// nothing that is asked for here contains a space. A broken escape is handed on as received, for validation to refuse.
std::optional<std::string> Request::parameter(std::string_view name) const {
  const auto decoded = [](std::string_view text) { return percent_decode(text).value_or(std::string(text)); };
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const auto equals = pair.find('=');
    if (decoded(pair.substr(0, equals)) != name) continue;
    return equals == std::string_view::npos ? std::string() : decoded(pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace paddock
