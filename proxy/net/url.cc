#include "proxy/net/url.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace paddock {
namespace {

constexpr std::size_t max_url = std::size_t{16} * 1024;

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_unreserved(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '%';
  out += digits[byte >> 4U];
  out += digits[byte & 15U];
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::invalid_argument, Blame::client, "not a usable URL: " + std::string(why));
}

// The scheme before "://" or ":", in lower case; empty when the text is a relative reference.
std::string scheme_of(std::string_view text) {
  const auto end = text.find_first_of(":/?#");
  if (end == std::string_view::npos || end == 0 || text[end] != ':' || !is_alpha(text[0])) return {};
  const auto scheme = text.substr(0, end);
  const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  return std::ranges::all_of(scheme, fits) ? lower(scheme) : std::string();
}

Result<std::uint16_t> parse_port(std::string_view text, bool tls) {
  if (text.empty()) return tls ? 443 : 80;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return bad("the port is not 1-65535");
  return port;
}

Result<std::string> parse_host(std::string_view text, bool bracketed) {
  if (text.empty()) return bad("it has no host");
  if (text.size() > 255) return bad("the host is too long");
  const auto fits = [bracketed](char c) {
    return bracketed ? hex_value(c) >= 0 || c == ':' || c == '.'
                     : is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  };
  if (!std::ranges::all_of(text, fits)) return bad("the host has characters that no host name has");
  return lower(text);
}

Result<void> parse_userinfo(Url& url, std::string_view text) {
  const auto colon = text.find(':');
  auto user = percent_decode(text.substr(0, colon));
  if (!user) return std::unexpected(user.error());
  url.user = std::move(*user);
  if (colon == std::string_view::npos) return {};
  auto password = percent_decode(text.substr(colon + 1));
  if (!password) return std::unexpected(password.error());
  url.password = std::move(*password);
  return {};
}

Result<void> take_authority(Url& url, std::string_view text) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (auto parsed = parse_userinfo(url, text.substr(0, at)); !parsed) return parsed;
    text.remove_prefix(at + 1);
  }
  const bool bracketed = text.starts_with('[');
  const auto host_end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && host_end == std::string_view::npos) return bad("a bracket of the host is missing");
  const auto host_start = bracketed ? 1U : 0U;
  auto host = parse_host(text.substr(host_start, host_end - host_start), bracketed);
  if (!host) return std::unexpected(host.error());
  std::string_view rest = host_end == std::string_view::npos ? "" : text.substr(host_end + (bracketed ? 1 : 0));
  if (!rest.empty() && !rest.starts_with(':')) return bad("something stands between host and path");
  if (!rest.empty()) rest.remove_prefix(1);
  const auto port = parse_port(rest, url.tls);
  if (!port) return std::unexpected(port.error());
  url.host = std::move(*host);
  url.port = *port;
  return {};
}

// Bytes beyond ASCII are escaped, as browsers do with a sloppy Location.
std::string clean_target(std::string_view text) {
  std::string out;
  if (!text.starts_with('/')) out += '/';
  for (const char c : text.substr(0, text.find('#'))) {
    if (static_cast<unsigned char>(c) >= 0x7F) {
      append_escaped(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

// RFC 3986, 5.2.4, for a path that starts with '/'.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const auto segment = path.substr(0, end);
    const bool last = end == std::string_view::npos;
    path = last ? std::string_view() : path.substr(end);
    if (segment == "/..") out.resize(out.empty() ? 0 : out.rfind('/'));
    if (segment == "/.." || segment == "/.") {
      if (last) out += '/';
    } else {
      out += segment;
    }
  }
  return out.empty() ? "/" : out;
}

std::string normalized(std::string_view target) {
  const auto question = target.find('?');
  auto out = remove_dot_segments(target.substr(0, question));
  if (question != std::string_view::npos) out += target.substr(question);
  return out;
}

// RFC 3986, 5.2.2 and 5.2.3, for a reference without scheme and authority.
std::string merged_target(std::string_view base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  if (reference.empty()) return std::string(base);
  if (reference.starts_with('/')) return std::string(reference);
  const auto path = base.substr(0, base.find('?'));
  const auto kept = reference.starts_with('?') ? path : path.substr(0, path.rfind('/') + 1);
  return std::string(kept) + std::string(reference);
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > max_url) return bad("it is too long");
  if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F || c == '\\'; })) {
    return bad("it contains white space, control characters or a backslash");
  }
  const auto scheme = scheme_of(text);
  if (scheme != "http" && scheme != "https") return bad("it starts with neither http:// nor https://");
  text.remove_prefix(scheme.size() + 1);
  if (!text.starts_with("//")) return bad("'//' is missing behind the scheme");
  text.remove_prefix(2);
  Url url;
  url.tls = scheme == "https";
  const auto authority_end = std::min(text.find_first_of("/?#"), text.size());
  if (auto parsed = take_authority(url, text.substr(0, authority_end)); !parsed) {
    return std::unexpected(std::move(parsed).error());
  }
  url.target = clean_target(text.substr(authority_end));
  return url;
}

Result<Url> Url::parse_authority(std::string_view text) {
  if (text.find_first_of("/?#@") != std::string_view::npos) return bad("more than a host and a port is given");
  auto url = parse(std::string("https://").append(text));
  if (url && !text.ends_with(":" + std::to_string(url->port))) return bad("the port is missing");
  if (url && url->host.size() > 1 && url->host.ends_with('.')) url->host.pop_back();  // the root's, which all have
  return url;
}

Result<Url> Url::resolve(std::string_view reference) const {
  std::string absolute;
  if (!scheme_of(reference).empty()) {
    absolute = reference;
  } else if (reference.starts_with("//")) {
    absolute = std::string(tls ? "https:" : "http:").append(reference);
  } else {
    absolute = origin() + merged_target(target, reference);
  }
  auto url = parse(absolute);
  if (url) url->target = normalized(url->target);
  return url;
}

Url Url::with_target(std::string new_target) const {
  Url copy = *this;
  copy.target = std::move(new_target);
  return copy;
}

std::string Url::authority() const {
  const bool v6 = host.contains(':');
  std::string out = v6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out.append(":").append(std::to_string(port));
  return out;
}

std::string Url::origin() const { return (tls ? "https://" : "http://") + authority(); }

std::string Url::to_string() const { return origin() + target; }

bool Url::same_origin(const Url& other) const { return tls == other.tls && host == other.host && port == other.port; }

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      append_escaped(out, c);
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      return fail(ErrorCode::invalid_argument, Blame::client, "a percent escape is broken");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

}  // namespace paddock
