#include "proxy/upstream/answers.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proxy/oci/ascii.h"
#include "proxy/oci/manifest.h"
#include "proxy/oci/printable.h"
#include "proxy/oci/reference.h"
#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

constexpr std::size_t detail_limit = 300;

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::unexpected<Error> bad(std::string context) {
  return fail(ErrorCode::protocol, Blame::upstream, std::move(context));
}

// One link-value after its target: does it have rel=next, alone or in a list?
bool says_next(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    const auto parameter = trim(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || lower_case(trim(parameter.substr(0, equals))) != "rel") continue;
    std::string relations = ' ' + lower_case(trim(parameter.substr(equals + 1))) + ' ';
    std::ranges::replace(relations, '"', ' ');
    if (relations.contains(" next ")) return true;
  }
  return false;
}

}  // namespace

std::string bare_media_type(std::string_view content_type) {
  return lower_case(trim(content_type.substr(0, content_type.find(';'))));
}

bool is_generic_type(std::string_view bare_type) {
  static constexpr std::array<std::string_view, 4> generic{"", "application/json", "application/octet-stream",
                                                           "text/plain"};
  return std::ranges::find(generic, bare_type) != generic.end();
}

std::string error_detail(std::string_view body) {
  const auto json = parse_strict_json(body, {.depth = 16, .values = 1000});
  if (!json || !json->is_object()) return {};
  const auto errors = json->find("errors");
  // Object storage answers {"code": ..., "message": ...}.
  const bool listed = errors != json->end() && errors->is_array() && !errors->empty() && errors->front().is_object();
  const nlohmann::json& first = listed ? errors->front() : *json;
  const std::string code = text_of(first, "code");
  const std::string message = text_of(first, "message");
  if (code.empty() && message.empty()) return {};
  std::string detail = code;
  if (!code.empty() && !message.empty()) detail += ": ";
  return public_message((detail + message).substr(0, detail_limit));
}

Error status_error(int status, std::string_view detail, std::optional<std::chrono::seconds> retry_after) {
  Error error{ErrorCode::protocol, Blame::upstream, "the upstream answered " + std::to_string(status)};
  if (!detail.empty()) error.context.append(" (").append(detail).append(")");
  error.retry_after = retry_after;
  switch (status) {
    case 401:
      error.code = ErrorCode::unauthorized;
      break;
    case 403:
    case 451:
      error.code = ErrorCode::denied;
      break;
    case 404:
      error.code = ErrorCode::not_found;
      break;
    case 408:
      error.code = ErrorCode::unavailable;
      break;
    case 429:
      error.code = ErrorCode::rate_limited;
      break;
    case 508:  // it would be the same once more
      error.code = ErrorCode::unavailable;
      return error;
    default:
      if (status >= 500) error.code = ErrorCode::unavailable;
      break;
  }
  error.retryable = error.code == ErrorCode::unavailable || error.code == ErrorCode::rate_limited;
  return error;
}

std::optional<std::string_view> next_link(std::span<const std::string_view> fields) {
  for (auto rest : fields) {
    for (;;) {
      const auto open = rest.find('<');
      const auto close = open == std::string_view::npos ? open : rest.find('>', open);
      if (close == std::string_view::npos) break;
      const auto target = rest.substr(open + 1, close - open - 1);
      rest.remove_prefix(close + 1);
      if (says_next(rest.substr(0, rest.find('<')).substr(0, rest.find(',')))) return target;
    }
  }
  return std::nullopt;
}

Result<TagPage> parse_tag_page(std::string_view body, bool more, std::size_t limit, std::string_view last) {
  auto json = parse_strict_json(body);
  if (!json) return std::unexpected(std::move(json).error().with("list of tags"));
  if (!json->is_object() || !json->contains("tags")) return bad("the answer is no list of tags");
  const auto& tags = json->at("tags");
  if (!tags.is_array() && !tags.is_null()) return bad("the answer is no list of tags");
  TagPage page{.tags = {}, .more = more};
  for (const auto& tag : tags) {
    if (!tag.is_string()) return bad("the list of tags holds something else");
    auto text = tag.get<std::string>();
    if (!is_tag(text)) return bad("the list of tags holds " + quote(text));
    page.tags.push_back(std::move(text));
  }
  // What is not one page of several is in the specification's order, which not every registry keeps. Of several pages
  // only the registry knows which comes next.
  if (!page.more) std::ranges::sort(page.tags);
  // A registry that ignores `last` would otherwise send its client around in circles.
  if (const auto seen = std::ranges::find(page.tags, last); seen != page.tags.end()) {
    page.tags.erase(page.tags.begin(), seen + 1);
  }
  if (page.tags.size() > limit) {
    page.tags.resize(limit);
    page.more = true;
  }
  return page;
}

Result<void> check_index(std::string_view body, std::string_view content_type) {
  auto manifest = parse_manifest(body, content_type);
  if (!manifest) return std::unexpected(std::move(manifest).error());
  if (manifest->kind != ManifestKind::index) return bad("the referrers are not an image index");
  return {};
}

std::string join_indexes(std::span<const std::string> pages) {
  if (pages.size() == 1) return pages.front();  // byte for byte
  auto whole = nlohmann::json::parse(pages.front());
  auto& manifests = whole["manifests"];
  if (!manifests.is_array()) manifests = nlohmann::json::array();
  for (const auto& page : pages.subspan(1)) {
    auto part = nlohmann::json::parse(page);
    for (auto& entry : part["manifests"]) manifests.push_back(std::move(entry));
  }
  return whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::string> query_of(std::string_view link) {
  constexpr std::size_t limit = 2048;
  link = link.substr(0, link.find('#'));
  const auto mark = link.find('?');
  const auto query = mark == std::string_view::npos ? std::string_view() : link.substr(mark);
  const bool printable = std::ranges::all_of(query, [](char c) { return c > 0x20 && c < 0x7f; });
  if (query.size() < 2 || query.size() > limit || !printable)
    return bad("the link to the next page cannot be followed");
  return std::string(query);
}

std::string referrers_tag(const Digest& digest) {
  return std::string(digest.algorithm_name().substr(0, 32)) + '-' + digest.hex().substr(0, 64);
}

Result<void> check_blob_size(const Digest& digest, std::uint64_t size) {
  if (size > 0 || digest == Digest::of("", digest.algorithm())) return {};
  return bad("the upstream says that " + digest.to_string() + " is empty, which it cannot be");
}

std::optional<Digest> content_digest(const Headers& headers) {
  const auto text = headers.get("Docker-Content-Digest");
  if (!text) return std::nullopt;
  auto digest = Digest::parse(*text);
  return digest ? std::optional(*digest) : std::nullopt;
}

bool is_encoded(const Headers& headers) {
  const auto coding = headers.get("Content-Encoding");
  return coding && !trim(*coding).empty() && lower_case(trim(*coding)) != "identity";
}

}  // namespace paddock
