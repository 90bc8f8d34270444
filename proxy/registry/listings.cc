#include "proxy/registry/listings.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "proxy/net/url.h"
#include "proxy/oci/reference.h"
#include "proxy/oci/registry_error.h"
#include "proxy/upstream/private_key.h"

namespace paddock {
namespace {

using nlohmann::json;

constexpr std::size_t page_limit = 1000;

struct Page {
  std::size_t limit = page_limit;
  std::string last;
};

Result<Page> parse_page(const Request& request) {
  Page page;
  page.last = request.parameter("last").value_or("");
  if (const auto n = request.parameter("n")) {
    std::size_t limit = 0;
    const auto [end, error] = std::from_chars(n->data(), n->data() + n->size(), limit);
    if (error != std::errc() || end != n->data() + n->size()) {
      return fail(ErrorCode::invalid_argument, Blame::client, "n must be a number");
    }
    page.limit = std::min(limit, page_limit);
  }
  return page;
}

Response json_response(const json& body, CacheState cache) {
  Response response;
  response.headers = {{"Content-Type", "application/json"}};
  response.cache = to_string(cache);
  response.body = body.dump();
  return response;
}

// RFC 8288, relative to the request; whatever else was asked (ns) is kept.
void add_next_link(Response& response, const Request& request, std::size_t limit, std::string_view last) {
  std::string target = request.path + "?n=" + std::to_string(limit) + "&last=" + percent_encode(last);
  if (const auto ns = request.parameter("ns")) target += "&ns=" + percent_encode(*ns);
  response.headers.add("Link", '<' + target + ">; rel=\"next\"");
}

// Who may answer for an upstream that does not answer, or does not let itself be listed.
bool cache_may_answer(const Error& error) { return error.code != ErrorCode::not_found && error.blame != Blame::client; }

// Nothing when the cache knows no answer. After a tag that is not cached it does not: the pages before came from the
// upstream, and what the cache lacks of the rest would look like the end of the list.
Task<Result<TagPage>> cached_tags(const RegistryContext& context, const RepositoryKey& repository, const Page& page) {
  auto tags = co_await context.pool.run([&]() -> Result<std::vector<std::string>> {
    if (!page.last.empty()) {
      const auto last = context.catalog.tag(repository, page.last);
      if (!last) return std::unexpected(last.error());
      if (!*last) return std::vector<std::string>();
    }
    return context.catalog.tags(repository, page.last, page.limit + 1);
  });
  if (!tags) co_return std::unexpected(std::move(tags).error());
  TagPage result{*std::move(tags)};
  result.more = result.tags.size() > page.limit;
  if (result.more) result.tags.resize(page.limit);
  co_return result;
}

// An answer of the referrers API with only the wanted type left.
json filter_referrers(json index, const std::string& artifact_type) {
  json kept = json::array();
  for (auto& descriptor : index["manifests"]) {
    if (descriptor.is_object() && descriptor.value("artifactType", json()) == artifact_type) {
      kept.push_back(std::move(descriptor));
    }
  }
  index["manifests"] = std::move(kept);
  return index;
}

std::string listed_name(const RepositoryKey& repository, const std::string& default_upstream) {
  return repository.upstream == default_upstream ? repository.repository
                                                 : repository.upstream + '/' + repository.repository;
}

// At most `count`.
Result<std::vector<RepositoryKey>> public_repositories(Catalog& catalog, std::optional<RepositoryKey> last,
                                                       std::size_t count) {
  std::vector<RepositoryKey> found;
  for (bool more = true; more && found.size() < count;) {
    auto keys = catalog.repositories(last, count);
    if (!keys) return keys;
    more = keys->size() == count;
    if (more) last = keys->back();
    std::ranges::copy_if(*keys, std::back_inserter(found), [](const auto& key) { return !is_private(key.repository); });
  }
  found.resize(std::min(found.size(), count));
  return found;
}

}  // namespace

Task<Response> list_tags(const RegistryContext& context, RepositoryRequest request) {
  const auto page = parse_page(request.http);
  if (!page) co_return error_response(page.error(), Subject::name);
  if (!page->last.empty() && !is_tag(page->last)) {
    co_return error_response(400, "TAG_INVALID", "last must be a tag");
  }
  const auto& repository = request.repository;
  CacheState cache = CacheState::bypass;
  Result<TagPage> tags = TagPage{};
  if (page->limit > 0) {
    tags = co_await request.upstream->upstream->list_tags(repository.repository, page->limit, page->last);
    if (!tags && cache_may_answer(tags.error())) {
      auto cached = co_await cached_tags(context, repository, *page);
      if (cached && !cached->tags.empty()) {
        tags = std::move(cached);
        cache = CacheState::stale;
      }
    }
  }
  if (!tags) co_return error_response(tags.error(), Subject::name);
  auto response = json_response({{"name", request.listed_name}, {"tags", tags->tags}}, cache);
  if (tags->more && !tags->tags.empty()) add_next_link(response, request.http, page->limit, tags->tags.back());
  co_return response;
}

Task<Response> list_referrers(const RegistryContext& context, RepositoryRequest request) {
  (void)context;
  const auto digest = Digest::parse(request.reference);
  if (!digest) co_return error_response(digest.error(), Subject::digest);
  auto answer = co_await request.upstream->upstream->referrers(request.repository.repository, *digest);
  json index = {
      {"schemaVersion", 2}, {"mediaType", "application/vnd.oci.image.index.v1+json"}, {"manifests", json::array()}};
  if (answer) {
    auto parsed = json::parse(*answer, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("manifests") || !parsed["manifests"].is_array()) {
      co_return error_response(502, "UNKNOWN", "the upstream's referrers answer is not an image index");
    }
    index = std::move(parsed);
  } else if (answer.error().code != ErrorCode::not_found) {
    co_return error_response(answer.error(), Subject::manifest);
  }
  const auto artifact_type = request.http.parameter("artifactType");
  if (artifact_type) index = filter_referrers(std::move(index), *artifact_type);
  auto response = json_response(index, CacheState::bypass);
  response.headers.set("Content-Type", "application/vnd.oci.image.index.v1+json");
  if (artifact_type) response.headers.add("OCI-Filters-Applied", "artifactType");
  co_return response;
}

Task<Response> list_repositories(const RegistryContext& context, const Request& request, std::string only) {
  const auto page = parse_page(request);
  if (!page) co_return error_response(page.error(), Subject::none);
  const auto set = context.upstreams.get();
  std::optional<RepositoryKey> last;
  if (!page->last.empty()) {
    const auto target =
        set->selector.select({only.empty() ? std::nullopt : std::optional<std::string_view>(only)}, page->last);
    if (!target) co_return error_response(target.error(), Subject::name);
    last = RepositoryKey{target->upstream, target->repository};
  }
  if (!only.empty() && (!last || last->upstream < only)) last = RepositoryKey{only, ""};
  auto found = co_await context.pool.run([&] { return public_repositories(context.catalog, last, page->limit + 1); });
  if (!found) co_return error_response(found.error(), Subject::none);
  if (!only.empty()) std::erase_if(*found, [&](const RepositoryKey& key) { return key.upstream != only; });
  const bool more = found->size() > page->limit;
  if (more) found->resize(page->limit);
  json names = json::array();
  for (const auto& repository : *found)
    names.push_back(listed_name(repository, only.empty() ? set->default_name : only));
  auto response = json_response({{"repositories", names}}, CacheState::hit);
  if (more && !names.empty()) add_next_link(response, request, page->limit, names.back().get<std::string>());
  co_return response;
}

}  // namespace paddock
