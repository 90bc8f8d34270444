#include "proxy/upstream/referrer_pages.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/upstream/answers.h"

namespace paddock {
namespace {

std::unexpected<Error> endless(std::string why) {
  return fail(ErrorCode::protocol, Blame::upstream, "referrers: " + std::move(why));
}

}  // namespace

Result<std::optional<std::string>> ReferrerPages::add(std::string body, std::string_view content_type,
                                                      std::optional<std::string_view> link) {
  if (auto ok = check_index(body, content_type); !ok) return std::unexpected(std::move(ok).error());
  const bool brought_something = note_entries(body);
  pages_.push_back(std::move(body));
  if (!link) return std::nullopt;
  auto query = query_of(*link);
  if (!query) return std::unexpected(std::move(query).error().with("referrers"));
  if (!queries_.insert(*query).second) return endless("the link to the next page repeats");
  if (!brought_something) return endless("a page brings nothing new and names a next one");
  if (pages_.size() >= page_limit) return endless("more than " + std::to_string(page_limit) + " pages");
  return *std::move(query);
}

std::string ReferrerPages::join() const { return join_indexes(pages_); }

// True when there is one that no page before has had. Digests of every algorithm count, hence not the parsed manifest.
bool ReferrerPages::note_entries(std::string_view body) {
  const auto index = nlohmann::json::parse(body, nullptr, false);
  const auto entries = index.find("manifests");
  if (entries == index.end() || !entries->is_array()) return false;
  bool any = false;
  for (const auto& entry : *entries) any |= digests_.insert(entry.value("digest", std::string())).second;
  return any;
}

}  // namespace paddock
