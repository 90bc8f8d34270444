#include "proxy/net/http.h"

#include <algorithm>

#include "proxy/net/url.h"

namespace paddock {
namespace {

constexpr std::size_t usual_text = 320, usual_fields = 8;

// Not std::tolower: header names are ASCII, whatever the locale is.
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Headers::Headers(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

Headers::Place Headers::append(std::string_view text) {
  if (text_.capacity() < usual_text) text_.reserve(usual_text);
  const Place place{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
  text_.append(text);
  return place;
}

void Headers::add(std::string_view name, std::string_view value) {
  if (fields_.empty()) fields_.reserve(usual_fields);
  const auto first = append(name);
  fields_.emplace_back(first, append(value));
}

// The old value stays in memory: it is short, and so is the life of headers.
void Headers::set(std::string_view name, std::string_view value) {
  const auto is_it = [this, name](const auto& field) { return same_name(text(field.first), name); };
  const auto found = std::ranges::find_if(fields_, is_it);
  if (found == fields_.end()) return add(name, value);
  found->second = append(value);
  fields_.erase(std::remove_if(found + 1, fields_.end(), is_it), fields_.end());
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [this, name](const auto& field) { return same_name(text(field.first), name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [key, value] : *this) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : *this) {
    if (same_name(key, name)) found.push_back(value);
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
