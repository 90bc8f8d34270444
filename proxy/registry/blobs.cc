#include "proxy/registry/blobs.h"

#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/oci/byte_range.h"
#include "proxy/oci/registry_error.h"
#include "proxy/registry/blob_body.h"
#include "proxy/tags/or_unknown.h"
#include "proxy/upstream/answers.h"

namespace paddock {
namespace {

constexpr auto whole = [](std::uint64_t size) { return ByteRange{0, size - 1}; };

// Status, headers and the range to send, all that follows from the size.
struct Plan {
  Response response;
  std::optional<ByteRange> range;  // nothing: no body
};

enum class Ranges : bool { ignored, served };

Plan plan(const Request& request, const Digest& digest, std::uint64_t size, CacheState cache,
          Ranges ranges = Ranges::served) {
  const std::string name = digest.to_string();
  const std::string etag = '"' + name + '"';
  Plan result;
  auto& response = result.response;
  response.cache = to_string(cache);
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Docker-Content-Digest", name},
                      {"ETag", etag},
                      {"Accept-Ranges", ranges == Ranges::served ? "bytes" : "none"}};
  const auto condition = request.headers.get("If-None-Match");
  if (condition && matches_etag(*condition, etag)) {
    response.status = 304;
    return result;
  }
  if (const auto possible = check_blob_size(digest, size); !possible) {
    response = error_response(possible.error(), Subject::blob);
    response.cache = to_string(cache);
    return result;
  }
  // Range is defined for GET only (RFC 9110, 14.2).
  const bool possible = request.method == Method::get && ranges == Ranges::served;
  const auto asked = possible ? request.headers.get("Range") : std::nullopt;
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

// Does the repository contain it? A manifest that its upstream served for it is proof for what the image is made of, as
// registries take none whose blobs they do not have; what an index names proves nothing, and is not linked. For what
// else there may be the upstream is asked, and its yes remembered.
Task<Result<void>> check_access(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  const auto& repository = request.repository;
  if (context.catalog.recently_linked(repository, digest)) co_return Result<void>{};
  auto linked = or_unknown(co_await context.pool.run([&] { return context.catalog.linked(repository, digest); }));
  if (!linked) co_return std::unexpected(std::move(linked).error());
  if (*linked) co_return Result<void>{};
  auto info = co_await request.upstream->upstream->head_blob(repository.repository, digest);
  if (!info) co_return std::unexpected(std::move(info).error());
  auto kept = co_await context.pool.run([&] { return context.catalog.link(repository, digest); });
  // The upstream has said yes; that it cannot be written down must not keep the client from its image.
  if (!kept)
    spdlog::warn("cannot note that {} has {}: {}", repository.repository, digest.to_string(), kept.error().context);
  co_return Result<void>{};
}

// A refusal is final for clients, and no part of it can be held back: it waits until the digest vouches for the size.
Task<Result<void>> confirm_size(std::shared_ptr<PartialBlob> partial, SteadyTime deadline) {
  auto verified = co_await partial->wait_verified(deadline);
  if (verified || verified.error().code != ErrorCode::timeout) co_return verified;
  Error error{ErrorCode::timeout, Blame::upstream, "the range lies beyond the size announced, which is not sure yet"};
  error.retry_after = std::chrono::seconds(10);
  co_return std::unexpected(std::move(error));
}

FillOrder order_for(const RepositoryRequest& request, Digest digest) {
  return {.upstream = request.upstream->upstream,
          .repository = request.repository.repository,
          .digest = digest,
          .limits = request.upstream->limits};
}

// Twice the time after which a silent transfer is given up, as one may be noticed and replaced meanwhile.
std::chrono::milliseconds stall_of(const RepositoryRequest& request) { return 2 * request.upstream->stall; }

// The store cannot keep it: straight through, one transfer for all who ask now. Of a part nothing could be verified, so
// that the whole is sent whatever Range says (RFC 9110, 14.2).
Task<Response> pass_through(const RegistryContext& context, const RepositoryRequest& request, Digest digest,
                            SteadyTime deadline) {
  auto reader = co_await context.uncached.open(order_for(request, digest), deadline);
  if (!reader) co_return error_response(reader.error(), Subject::blob);
  const auto size = co_await (*reader)->size(deadline);
  if (!size) co_return error_response(size.error(), Subject::blob);
  auto [response, range] = plan(request.http, digest, *size, CacheState::bypass, Ranges::ignored);
  if (range) response.body = uncached_body(*std::move(reader), *size, stall_of(request));
  co_return std::move(response);
}

struct Filling {
  std::shared_ptr<Fill> fill;
  Result<FillSource> source;
};

// The one fill of the digest may be another repository's, or another upstream's, or have failed before we came: that
// says nothing about ours, so that another is tried then.
Task<Filling> wait_for_fill(const RegistryContext& context, const RepositoryRequest& request, Digest digest,
                            SteadyTime deadline) {
  constexpr int tries = 4;
  const auto& mine = request.repository;
  for (int number = 1;; ++number) {
    const auto before = context.fills.find(digest);
    const bool ending = before && before->failed();  // one that we begin and that fails at once is not old news
    auto fill = context.fills.fetch(order_for(request, digest));
    auto source = co_await fill->source(deadline);
    const auto status = fill->status();
    const bool own =
        !(ending && fill == before) && status.repository == mine.repository && status.upstream == mine.upstream;
    // A fill that was given up for want of readers, just now.
    const bool abandoned = !source && source.error().code == ErrorCode::cancelled;
    const bool again = !source && (abandoned || (!own && source.error().blame == Blame::upstream));
    if (!again || number == tries) {
      co_return Filling{std::move(fill), std::move(source)};
    }
  }
}

Task<Response> serve_filling(const RegistryContext& context, const RepositoryRequest& request, Digest digest,
                             SteadyTime deadline) {
  auto [fill, source] = co_await wait_for_fill(context, request, digest, deadline);
  if (!source) {
    if (is_not_kept(source.error())) co_return co_await pass_through(context, request, digest, deadline);
    co_return error_response(source.error(), Subject::blob);
  }
  if (auto* blob = std::get_if<Blob>(&*source)) {
    co_return with_stored(request.http, digest, std::move(*blob), CacheState::hit);
  }
  auto partial = std::get<std::shared_ptr<PartialBlob>>(*std::move(source));
  auto [response, range] = plan(request.http, digest, partial->size().value_or(0), CacheState::fill);
  if (response.status == 416) {
    if (auto sure = co_await confirm_size(partial, deadline); !sure)
      co_return error_response(sure.error(), Subject::blob);
  }
  if (!range) co_return std::move(response);
  auto go_on = [&streams = context.uncached, order = order_for(request, digest)](const auto& broken, std::uint64_t from,
                                                                                 const Error& why) {
    return streams.go_on(order, broken, from, why);
  };
  response.body =
      filling_body(std::move(partial), *range, stall_of(request), fill->add_reader(range->first), std::move(go_on));
  co_return std::move(response);
}

// HEAD of what is not stored: the running fill may know, else the upstream does. It never begins a fill.
Task<Response> describe(const RegistryContext& context, const RepositoryRequest& request, Digest digest) {
  std::optional<std::uint64_t> size;
  if (const auto fill = context.fills.find(digest)) size = fill->status().size;
  if (!size) {
    auto info = co_await request.upstream->upstream->head_blob(request.repository.repository, digest);
    if (!info) co_return error_response(info.error(), Subject::blob);
    size = info->size;
  }
  auto [response, range] = plan(request.http, digest, *size, CacheState::bypass);
  if (range) response.body = BodyStream{range->length(), nullptr};
  co_return std::move(response);
}

}  // namespace

Task<Response> serve_blob(const RegistryContext& context, RepositoryRequest request) {
  const SteadyTime deadline = std::chrono::steady_clock::now() + context.first_byte;
  const auto digest = Digest::parse(request.reference);
  if (!digest) co_return error_response(digest.error(), Subject::digest);
  if (auto access = co_await check_access(context, request, *digest); !access) {
    co_return error_response(access.error(), Subject::blob);
  }
  auto blob = co_await context.pool.run([&] { return context.blobs.open(*digest); });
  if (blob) co_return with_stored(request.http, *digest, *std::move(blob), CacheState::hit);
  const bool broken = blob.error().code != ErrorCode::not_found;
  if (broken) spdlog::error("cannot read {}: {}; passing it through", digest->to_string(), blob.error().context);
  if (request.http.method == Method::head) co_return co_await describe(context, request, *digest);
  if (broken || context.uncached.running(*digest)) {
    co_return co_await pass_through(context, request, *digest, deadline);
  }
  co_return co_await serve_filling(context, request, *digest, deadline);
}

}  // namespace paddock
