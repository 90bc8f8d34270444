#include "proxy/oci/route.h"

#include <cstddef>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<Error> undecodable(std::string_view text) {
  return fail(ErrorCode::invalid_argument, Blame::client, "malformed percent-encoding in the path " + quote(text));
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return undecodable(text);
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return undecodable(text);
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return undecodable(text);
    out += c;
  }
  return out;
}

// Cuts off the last component with the slash before it. Without a slash the whole is the component.
std::string_view take_last(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return last;
}

struct Parts {
  Route::Kind kind = Route::Kind::unknown;
  std::string_view name, reference;
};

// A reference holds no '/', so the resource's word is the last component but one; uploads have one more.
Parts take_apart(std::string_view path) {
  Parts parts;
  std::string_view rest = path;
  parts.reference = take_last(rest);
  const std::string_view word = take_last(rest);
  parts.name = rest;
  if (word == "blobs" && parts.reference == "uploads") {
    parts.kind = Route::Kind::upload;
    parts.reference = {};
    return parts;
  }
  if (word == "uploads") {
    if (take_last(rest) != "blobs") return {};
    return {Route::Kind::upload, rest, parts.reference};
  }
  if (word == "tags" && parts.reference == "list") return {Route::Kind::tags, parts.name, {}};
  if (parts.reference.empty()) return {};
  if (word == "manifests") parts.kind = Route::Kind::manifest;
  if (word == "blobs") parts.kind = Route::Kind::blob;
  if (word == "referrers") parts.kind = Route::Kind::referrers;
  return parts.kind == Route::Kind::unknown ? Parts{} : parts;
}

}  // namespace

Result<Route> parse_route(std::string_view path) {
  if (path == "/v2" || path == "/v2/") return Route{Route::Kind::base, {}, {}};
  if (!path.starts_with("/v2/")) return Route{};
  path.remove_prefix(4);
  if (path == "_catalog") return Route{Route::Kind::catalog, {}, {}};
  const Parts parts = take_apart(path);
  auto name = decode(parts.name);
  if (!name) return std::unexpected(name.error());
  auto reference = decode(parts.reference);
  if (!reference) return std::unexpected(reference.error());
  return Route{parts.kind, std::move(*name), std::move(*reference)};
}

}  // namespace paddock
