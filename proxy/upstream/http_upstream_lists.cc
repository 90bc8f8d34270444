// Lists of tags and referrers of HttpUpstream.
#include <algorithm>
#include <utility>

#include "proxy/oci/manifest.h"
#include "proxy/upstream/answers.h"
#include "proxy/upstream/http_upstream.h"
#include "proxy/upstream/http_upstream_endpoints.h"

namespace paddock {
namespace {

constexpr std::string_view index_type = "application/vnd.oci.image.index.v1+json";

std::string tags_target(const std::string& repository, std::size_t limit, const std::string& last) {
  std::string target = "/v2/" + repository + "/tags/list?n=" + std::to_string(limit);
  if (!last.empty()) target += "&last=" + percent_encode(last);
  return target;
}

}  // namespace

Task<Result<TagPage>> HttpUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<TagPage> ask = [=, this](Effort effort) { return list_tags_at(repository, limit, last, effort); };
  co_return co_await over_endpoints<TagPage>(true, std::move(ask));
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
  co_return parse_tag_page(*body, has_next_link(answer->response->headers().all("Link")), limit, last);
}

Task<Result<std::string>> HttpUpstream::referrers(std::string repository, Digest digest) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<std::string> ask = [=, this](Effort effort) { return referrers_at(repository, digest, effort); };
  co_return co_await over_endpoints<std::string>(true, std::move(ask));
}

Task<Result<std::string>> HttpUpstream::referrers_at(std::string repository, Digest digest, Effort effort) {
  UpstreamQuestion question{.repository = repository,
                            .target = "/v2/" + repository + "/referrers/" + digest.to_string()};
  question.headers.set("Accept", std::string(index_type));
  auto answer = co_await exchange_->ask(std::move(question), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  const int status = answer->status();
  if (status == 200) {
    const auto type = std::string(answer->response->headers().get("Content-Type").value_or(""));
    auto body = co_await exchange_->body(*answer, options_->manifest_limit, effort.deadline);
    if (!body) co_return std::unexpected(std::move(body).error().with("referrers"));
    if (auto ok = check_index(*body, type); !ok) co_return std::unexpected(std::move(ok).error());
    co_return *std::move(body);
  }
  // A registry that does not know the API, in its various ways of saying so.
  if (status != 400 && status != 404 && status != 405 && status != 501) {
    co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  }
  (void)co_await exchange_->refusal(*answer, effort.deadline);
  auto index = co_await get_manifest_at(std::move(repository), referrers_tag(digest), effort);
  if (!index) co_return std::unexpected(std::move(index).error());
  if (auto ok = check_index(index->content, index->media_type); !ok) co_return std::unexpected(std::move(ok).error());
  co_return std::move(index->content);
}

}  // namespace paddock
