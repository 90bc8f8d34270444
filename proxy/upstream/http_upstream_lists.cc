// Lists of tags and referrers of HttpUpstream.
#include <algorithm>
#include <utility>

#include "proxy/oci/manifest.h"
#include "proxy/upstream/answers.h"
#include "proxy/upstream/http_upstream.h"
#include "proxy/upstream/http_upstream_endpoints.h"
#include "proxy/upstream/referrer_pages.h"

namespace paddock {
namespace {

constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

std::string tags_target(const std::string& repository, std::size_t limit, const std::string& last) {
  std::string target = "/v2/" + repository + "/tags/list?n=" + std::to_string(limit);
  if (!last.empty()) target += "&last=" + percent_encode(last);
  return target;
}

// A registry that does not know the API, in its various ways of saying so.
bool no_referrers_api(int status) { return status == 400 || status == 404 || status == 405 || status == 501; }

}  // namespace

Task<Result<TagPage>> HttpUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<TagPage> ask = [=, this](Effort effort) { return list_tags_at(repository, limit, last, effort); };
  co_return co_await over_endpoints<TagPage>(About::name, std::move(ask));
}

Task<Result<TagPage>> HttpUpstream::list_tags_at(std::string repository, std::size_t limit, std::string last,
                                                 Effort effort) {
  UpstreamQuestion question{.repository = repository, .target = tags_target(repository, limit, last)};
  question.headers.set("Accept", "application/json");
  auto answer = co_await exchange_->ask(std::move(question), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->status() != 200) co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  auto body = co_await exchange_->body(*answer, options_->list_limit, effort.deadline);
  if (!body) co_return std::unexpected(std::move(body).error().with("list of tags"));
  co_return parse_tag_page(*body, next_link(answer->response->headers().all("Link")).has_value(), limit, last);
}

Task<Result<std::string>> HttpUpstream::referrers(std::string repository, Digest digest) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<std::string> ask = [=, this](Effort effort) { return referrers_at(repository, digest, effort); };
  co_return co_await over_endpoints<std::string>(About::name, std::move(ask));
}

Task<Result<std::string>> HttpUpstream::referrers_at(std::string repository, Digest digest, Effort effort) {
  auto listed = co_await listed_referrers_at(repository, digest, effort);
  if (!listed) co_return std::unexpected(std::move(listed).error());
  if (*listed) co_return **std::move(listed);
  auto index = co_await get_manifest_at(std::move(repository), referrers_tag(digest), effort);
  if (!index) co_return std::unexpected(std::move(index).error());
  if (auto ok = check_index(index->content, index->media_type); !ok) co_return std::unexpected(std::move(ok).error());
  co_return std::move(index->content);
}

Task<Result<std::optional<std::string>>> HttpUpstream::listed_referrers_at(std::string repository, Digest digest,
                                                                           Effort effort) {
  const std::string target = "/v2/" + repository + "/referrers/" + digest.to_string();
  ReferrerPages pages;
  std::string query;
  for (std::size_t left = options_->list_limit;;) {
    UpstreamQuestion question{.repository = repository, .target = target + query};
    question.headers.set("Accept", index_type);
    auto answer = co_await exchange_->ask(std::move(question), effort);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    if (const int status = answer->status(); status != 200) {
      auto error = co_await exchange_->refusal(*answer, effort.deadline);
      if (pages.empty() && no_referrers_api(status)) co_return std::nullopt;
      // That a page is not there does not mean that the list ends before it.
      if (error.code == ErrorCode::not_found) error.code = ErrorCode::protocol;
      co_return std::unexpected(std::move(error));
    }
    auto body = co_await exchange_->body(*answer, left, effort.deadline);
    if (!body) {
      Error error = std::move(body).error();
      // The limit is for all pages together, not for what of it is left to this one.
      if (error.code == ErrorCode::too_large) {
        error.context = "the list is larger than " + std::to_string(options_->list_limit) + " bytes";
      }
      co_return std::unexpected(std::move(error).with("referrers"));
    }
    left -= body->size();
    const auto& headers = answer->response->headers();
    auto next = pages.add(*std::move(body), headers.get("Content-Type").value_or(""), next_link(headers.all("Link")));
    if (!next) co_return std::unexpected(std::move(next).error());
    if (!*next) co_return pages.join();
    query = **std::move(next);
  }
}

}  // namespace paddock
