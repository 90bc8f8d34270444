#include "proxy/registry/blobs.h"

#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/oci/byte_range.h"
#include "proxy/oci/registry_error.h"
#include "proxy/registry/blob_body.h"

namespace paddock {
namespace {

constexpr auto whole = [](std::uint64_t size) { return ByteRange{0, size - 1}; };

// Status, headers and the range to send, all that follows from the size.
struct Plan {
  Response response;
  std::optional<ByteRange> range;  // nothing: no body
};

Plan plan(const Request& request, const Digest& digest, std::uint64_t size, CacheState cache) {
  const std::string name = digest.to_string();
  const std::string etag = '"' + name + '"';
  Plan result;
  auto& response = result.response;
  response.cache = to_string(cache);
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Docker-Content-Digest", name},
                      {"ETag", etag},
                      {"Accept-Ranges", "bytes"}};
  const auto condition = request.headers.get("If-None-Match");
  if (condition && matches_etag(*condition, etag)) {
    response.status = 304;
    return result;
  }
  // Range is defined for GET only (RFC 9110, 14.2).
  const auto asked = request.method == Method::get ? request.headers.get("Range") : std::nullopt;
  const auto decision = decide_range(asked, request.headers.get("If-Range"), etag, size);
  switch (decision.kind) {
    case RangeDecision::Kind::whole:
      if (size > 0) result.range = whole(size);
      break;
    case RangeDecision::Kind::partial:
      response.status = 206;
      response.headers.add("Content-Range", content_range(decision.range, size));
      result.range = decision.range;
      break;
    case RangeDecision::Kind::unsatisfiable:
      response = error_response(416, "RANGE_INVALID", "the range lies beyond the end of the blob");
      response.headers.add("Content-Range", unsatisfied_content_range(size));
      response.cache = to_string(cache);
      break;
  }
  return result;
}

Response with_stored(const Request& request, const Digest& digest, Blob blob, CacheState cache) {
  auto [response, range] = plan(request, digest, blob.size, cache);
  if (range) response.body = stored_body(std::move(blob), *range);
  return std::move(response);
}

// Does the repository contain it? Asked of the upstream at most once for a pair.
Task<Result<void>> check_access(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  const auto& repository = request.repository;
  auto linked = co_await context.pool.run([&] { return context.catalog.linked(repository, digest); });
  if (!linked) co_return std::unexpected(std::move(linked).error());
  if (*linked) co_return Result<void>{};
  auto info = co_await request.upstream.upstream->head_blob(repository.repository, digest);
  if (!info) co_return std::unexpected(std::move(info).error());
  auto kept = co_await context.pool.run([&] { return context.catalog.link(repository, digest); });
  // The upstream has said yes; that it cannot be written down must not keep the client from its image.
  if (!kept)
    spdlog::warn("cannot note that {} has {}: {}", repository.repository, digest.to_string(), kept.error().context);
  co_return Result<void>{};
}

// The store cannot keep it: straight through. Each client costs an upstream transfer of its own here.
Task<Response> pass_through(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  auto& upstream = *request.upstream.upstream;
  const auto& name = request.repository.repository;
  auto info = co_await upstream.head_blob(name, digest);
  if (!info) co_return error_response(info.error(), Subject::blob);
  auto [response, range] = plan(request.http, digest, info->size, CacheState::bypass);
  if (!range || request.http.method == Method::head) {
    if (range) response.body = BodyStream{range->length(), nullptr};
    co_return std::move(response);
  }
  const bool all = range->length() == info->size;
  const auto length = all ? std::nullopt : std::optional(range->length());
  auto transfer = co_await upstream.get_blob(name, digest, range->first, length);
  if (!transfer) co_return error_response(transfer.error(), Subject::blob);
  response.body = passing_body(*std::move(transfer), *range, info->size, digest, context.pool);
  co_return std::move(response);
}

Task<Result<FillSource>> wait_for_fill(const RegistryContext& context, const RepositoryRequest& request,
                                       std::shared_ptr<Fill> fill) {
  const auto deadline = std::chrono::steady_clock::now() + context.first_byte;
  auto source = co_await fill->source(deadline);
  if (source || source.error().code != ErrorCode::not_found) co_return source;
  // Another repository's fill found nothing; this one may have it all the same.
  const auto status = fill->status();
  const auto& mine = request.repository;
  if (status.repository == mine.repository && status.upstream == mine.upstream) co_return source;
  auto own = context.fills.fetch(request.upstream.upstream, mine.repository, fill->digest());
  co_return co_await own->source(deadline);
}

Task<Response> serve_filling(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  const auto fill = context.fills.fetch(request.upstream.upstream, request.repository.repository, digest);
  auto source = co_await wait_for_fill(context, request, fill);
  if (!source) {
    const Error& error = source.error();
    if (error.blame == Blame::us && (error.code == ErrorCode::no_space || error.code == ErrorCode::io)) {
      co_return co_await pass_through(context, request, digest);
    }
    co_return error_response(error, Subject::blob);
  }
  if (auto* blob = std::get_if<Blob>(&*source)) {
    co_return with_stored(request.http, digest, std::move(*blob), CacheState::hit);
  }
  auto partial = std::get<std::shared_ptr<PartialBlob>>(*std::move(source));
  auto [response, range] = plan(request.http, digest, partial->size().value_or(0), CacheState::fill);
  if (range) response.body = filling_body(std::move(partial), *range, context.stall, fill->add_reader());
  co_return std::move(response);
}

// HEAD of what is not stored: the running fill may know, else the upstream does. It never begins a fill.
Task<Response> describe(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  std::optional<std::uint64_t> size;
  if (const auto fill = context.fills.find(digest)) size = fill->status().size;
  if (!size) {
    auto info = co_await request.upstream.upstream->head_blob(request.repository.repository, digest);
    if (!info) co_return error_response(info.error(), Subject::blob);
    size = info->size;
  }
  auto [response, range] = plan(request.http, digest, *size, CacheState::bypass);
  if (range) response.body = BodyStream{range->length(), nullptr};
  co_return std::move(response);
}

}  // namespace

Task<Response> serve_blob(const RegistryContext& context, RepositoryRequest request) {
  const auto digest = Digest::parse(request.reference);
  if (!digest) co_return error_response(digest.error(), Subject::digest);
  if (auto access = co_await check_access(context, request, *digest); !access) {
    co_return error_response(access.error(), Subject::blob);
  }
  auto blob = co_await context.pool.run([&] { return context.blobs.open(*digest); });
  if (blob) co_return with_stored(request.http, *digest, *std::move(blob), CacheState::hit);
  if (blob.error().code != ErrorCode::not_found) {
    spdlog::error("cannot read {}: {}; passing it through", digest->to_string(), blob.error().context);
    co_return co_await pass_through(context, request, *digest);
  }
  if (request.http.method == Method::head) co_return co_await describe(context, request, *digest);
  co_return co_await serve_filling(context, request, *digest);
}

}  // namespace paddock
