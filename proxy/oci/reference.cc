#include "proxy/oci/reference.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

constexpr std::size_t repository_limit = 255;
constexpr std::size_t tag_limit = 128;
constexpr std::size_t host_limit = 253;
constexpr std::size_t text_limit = 1024;

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) return false;
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const char separator = text[i];
    const std::size_t run = std::min(text.find_first_not_of(separator, i), text.size()) - i;
    const bool valid = separator == '-' || (separator == '.' && run == 1) || (separator == '_' && run <= 2);
    if (!valid || !is_lower_or_digit(text[i + run])) return false;  // the last is a letter, so i + run is inside
    i += run;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
  unsigned port = 0;
  for (const char c : text) port = port * 10 + static_cast<unsigned>(c - '0');
  return port >= 1 && port <= 65535;
}

bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_host_name(std::string_view text) {
  if (text.size() > host_limit) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_host_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// "[2001:db8::1]"; only the alphabet is checked, the name is compared and never dialled.
bool is_bracketed(std::string_view text) {
  return text.size() >= 4 && text.size() <= 47 && text.starts_with('[') && text.ends_with(']') &&
         text.find(':') != std::string_view::npos && std::ranges::all_of(text.substr(1, text.size() - 2), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
         });
}

std::unexpected<Error> invalid(std::string_view what, std::string_view text, std::string_view rule) {
  return fail(ErrorCode::invalid_argument, Blame::client,
              std::string("invalid ").append(what).append(" ").append(quote(text)).append(": ").append(rule));
}

constexpr std::string_view tag_rule = "up to 128 letters, digits, '_', '.' and '-', not starting with '.' or '-'";
constexpr std::string_view repository_rule =
    "lower-case letters and digits, separated by '.', '_', '__', '-' and '/', at most 255 bytes";

// A first component that is a registry and not part of the name: the rule of Docker clients.
bool looks_like_registry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(component, [](char c) { return c >= 'A' && c <= 'Z'; });
}

Result<std::string_view> take_digest(std::string_view text, ImageReference& reference) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return text;
  Result<Digest> digest = Digest::parse(text.substr(at + 1));
  if (!digest) return invalid("digest", text.substr(at + 1), digest.error().context);
  reference.digest = *digest;
  return text.substr(0, at);
}

Result<std::string_view> take_registry(std::string_view text, ImageReference& reference) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !looks_like_registry(text.substr(0, slash))) return text;
  std::string host(text.substr(0, slash));
  std::ranges::transform(host, host.begin(), to_lower);
  if (!is_registry_host(host)) return invalid("registry", text.substr(0, slash), "expected host or host:port");
  reference.registry = std::move(host);
  return text.substr(slash + 1);
}

}  // namespace

bool is_repository(std::string_view text) {
  if (text.empty() || text.size() > repository_limit) return false;
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > tag_limit || text.front() == '.' || text.front() == '-') return false;
  return std::ranges::all_of(
      text, [](char c) { return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-'; });
}

bool is_registry_host(std::string_view text) {
  std::string_view host = text;
  bool has_port = false;
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!is_port(text.substr(colon + 1))) return false;
    host = text.substr(0, colon);
    has_port = true;
  }
  if (is_bracketed(host)) return true;
  if (!is_host_name(host)) return false;
  return has_port || host == "localhost" || host.find('.') != std::string_view::npos;
}

Result<TagOrDigest> parse_tag_or_digest(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    Result<Digest> digest = Digest::parse(text);
    if (!digest) return invalid("digest", text, digest.error().context);
    return TagOrDigest{std::string(text), *digest};
  }
  if (!is_tag(text)) return invalid("tag", text, tag_rule);
  return TagOrDigest{std::string(text), std::nullopt};
}

std::string ImageReference::to_string() const {
  std::string text = registry ? *registry + '/' + repository : repository;
  if (tag) text += ':' + *tag;
  if (digest) text += '@' + digest->to_string();
  return text;
}

Result<ImageReference> parse_image_reference(std::string_view text) {
  if (text.empty()) return invalid("image reference", text, "it is empty");
  if (text.size() > text_limit) return invalid("image reference", text, "it is longer than 1024 bytes");
  if (text.find("://") != std::string_view::npos) {
    return invalid("image reference", text, "write it without a scheme, as registry/repository:tag");
  }
  ImageReference reference;
  auto rest = take_digest(text, reference);
  if (rest) rest = take_registry(*rest, reference);
  if (!rest) return std::unexpected(rest.error());
  const std::size_t colon = rest->rfind(':');
  if (colon != std::string_view::npos) {
    if (!is_tag(rest->substr(colon + 1))) return invalid("tag", rest->substr(colon + 1), tag_rule);
    reference.tag = std::string(rest->substr(colon + 1));
    rest = rest->substr(0, colon);
  }
  if (!is_repository(*rest)) return invalid("repository", *rest, repository_rule);
  reference.repository = std::string(*rest);
  return reference;
}

}  // namespace paddock
