// Blobs of HttpUpstream: their size, and their bytes from anywhere on.
#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/oci/byte_range.h"
#include "proxy/upstream/answers.h"
#include "proxy/upstream/http_upstream.h"
#include "proxy/upstream/http_upstream_endpoints.h"

namespace paddock {
namespace {

UpstreamQuestion blob_question(Method method, const std::string& repository, const Digest& digest) {
  return {.method = method, .repository = repository, .target = "/v2/" + repository + "/blobs/" + digest.to_string()};
}

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorCode::protocol, Blame::upstream, "blob: " + std::string(why));
}

// Where a transfer starts and how large the blob is, from the header of a 200 or 206.
struct Placement {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> end, size;
};

Result<Placement> placement(const ClientResponse& response, std::uint64_t asked) {
  if (is_encoded(response.headers())) return bad("it comes compressed, unasked");
  const auto length = response.content_length();
  if (response.status() == 200) return Placement{0, length, length};
  const auto range = parse_content_range(response.headers().get("Content-Range").value_or(""));
  if (!range) return bad("a 206 without a usable Content-Range");
  if (range->range.first != asked) return bad("a 206 that starts at another byte than asked for");
  if (length && *length != range->range.length()) return bad("Content-Length and Content-Range disagree");
  return Placement{asked, range->range.last + 1, range->size};
}

std::string range_header(std::uint64_t offset, std::optional<std::uint64_t> length) {
  std::string range = "bytes=" + std::to_string(offset) + '-';
  if (length) range += std::to_string(offset + (*length - 1));
  return range;
}

// What reads a blob; lives as long as BlobTransfer::read.
struct Reader {
  Reader(std::shared_ptr<Exchange> from, std::shared_ptr<EndpointHealth> watcher, std::size_t at, UpstreamAnswer what)
      : exchange(std::move(from)), health(std::move(watcher)), endpoint(at), answer(std::move(what)) {
    health->transfer_began(endpoint);
  }
  ~Reader() { health->transfer_ended(endpoint, bytes, waited); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  const std::shared_ptr<Exchange> exchange;
  const std::shared_ptr<EndpointHealth> health;
  const std::size_t endpoint;
  UpstreamAnswer answer;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds waited{0};
};

Task<Result<std::size_t>> read_some(std::shared_ptr<Reader> reader, std::span<std::byte> out) {
  const auto began = std::chrono::steady_clock::now();
  auto got = co_await reader->answer.response->read(out);
  reader->waited += std::chrono::steady_clock::now() - began;
  if (!got) reader->exchange->forget_link(reader->answer);
  if (!got) co_return got;
  reader->bytes += *got;
  reader->exchange->count_bytes(reader->answer.endpoint, *got);
  co_return got;
}

// Signed links are often good for GET only, so that storage's 403 counts too.
bool ask_by_get(const UpstreamAnswer& answer) {
  const int status = answer.status();
  if (status == 200) return !answer.response->content_length() || is_encoded(answer.response->headers());
  return status == 400 || status == 403 || status == 405 || status == 501 || (answer.redirected && status == 401);
}

}  // namespace

Task<Result<BlobInfo>> HttpUpstream::head_blob(std::string repository, Digest digest) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  Ask<BlobInfo> ask = [=, this](Effort effort) { return head_blob_at(repository, digest, effort); };
  co_return co_await over_endpoints<BlobInfo>(About::digest, std::move(ask));
}

Task<Result<BlobInfo>> HttpUpstream::head_blob_at(std::string repository, Digest digest, Effort effort) {
  auto answer = co_await exchange_->ask(blob_question(Method::head, repository, digest), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (ask_by_get(*answer)) co_return co_await blob_size_at(std::move(repository), digest, true, effort);
  const auto size = answer->response->content_length();
  const int status = answer->status();
  if (status != 200) co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  if (auto ok = check_blob_size(digest, *size); !ok) co_return std::unexpected(std::move(ok).error());
  co_return BlobInfo{*size};
}

Task<Result<BlobInfo>> HttpUpstream::blob_size_at(std::string repository, Digest digest, bool ranged, Effort effort) {
  auto question = blob_question(Method::get, repository, digest);
  if (ranged) question.headers.set("Range", "bytes=0-0");
  auto answer = co_await exchange_->ask(std::move(question), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  const int status = answer->status();
  // Of an empty blob there is no first byte.
  if (ranged && (status == 400 || status == 416)) {
    co_return co_await blob_size_at(std::move(repository), digest, false, effort);
  }
  if (status != 200 && status != 206) co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  auto place = placement(*answer->response, 0);
  if (!place) co_return std::unexpected(std::move(place).error());
  if (!place->size) co_return bad("the upstream does not say how large it is");
  if (auto ok = check_blob_size(digest, *place->size); !ok) co_return std::unexpected(std::move(ok).error());
  // One byte, as asked: read, it leaves the connection to others. A whole blob does not come in here.
  if (status == 206) (void)co_await exchange_->body(*answer, 1, effort.deadline);
  co_return BlobInfo{*place->size};
}

Task<Result<BlobTransfer>> HttpUpstream::get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                                  std::optional<std::uint64_t> length) {
  if (auto ok = check_repository(repository); !ok) co_return std::unexpected(std::move(ok).error());
  if (length && (*length == 0 || *length - 1 > UINT64_MAX - offset)) {
    co_return fail(ErrorCode::invalid_argument, Blame::us, "a range that is none");
  }
  Ask<BlobTransfer> ask = [=, this](Effort effort) { return get_blob_at(repository, digest, offset, length, effort); };
  co_return co_await over_endpoints<BlobTransfer>(About::bytes, std::move(ask));
}

Task<Result<BlobTransfer>> HttpUpstream::get_blob_at(std::string repository, Digest digest, std::uint64_t offset,
                                                     std::optional<std::uint64_t> length, Effort effort) {
  auto question = blob_question(Method::get, repository, digest);
  const bool ranged = offset > 0 || length;
  if (ranged) question.headers.set("Range", range_header(offset, length));
  question.keep_link = true;
  auto answer = co_await exchange_->ask(std::move(question), effort);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  const int status = answer->status();
  if (ranged && offset == 0 && (status == 400 || status == 416)) {
    co_return co_await get_blob_at(std::move(repository), digest, 0, std::nullopt, effort);
  }
  if (status != 200 && !(status == 206 && ranged)) {
    co_return std::unexpected(co_await exchange_->refusal(*answer, effort.deadline));
  }
  auto place = placement(*answer->response, offset);
  const auto fits = place ? check_blob_size(digest, place->size.value_or(1)) : std::unexpected(place.error());
  if (!fits) {
    exchange_->forget_link(*answer);
    co_return std::unexpected(fits.error());
  }
  auto reader = std::make_shared<Reader>(exchange_, health_, effort.endpoint, *std::move(answer));
  const auto& bandwidth = options_->bandwidth;
  co_return BlobTransfer{
      .offset = place->offset,
      .end = place->end,
      .size = place->size,
      .source = reader->answer.endpoint,
      .etag = std::string(reader->answer.response->headers().get("ETag").value_or("")),
      .bandwidth = bandwidth,
      .read =
          [reader, bandwidth](std::span<std::byte> out) {
            return read_some(reader, bandwidth ? out.first(std::min(out.size(), bandwidth->portion())) : out);
          },
      .abort = [reader] { reader->answer.response->abort(); },
  };
}

}  // namespace paddock
