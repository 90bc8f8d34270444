#include "proxy/registry/blob_body.h"

#include <algorithm>
#include <utility>

namespace paddock {
namespace {

using Piece = Result<BodyPiece>;

// How much is handed over at a time, so that a client that goes away is noticed and waiting stays fair.
constexpr std::uint64_t region_limit = std::uint64_t{16} * 1024 * 1024;

Task<Piece> ready(BodyPiece piece) { co_return piece; }

struct Following {
  std::shared_ptr<PartialBlob> partial;
  std::uint64_t position, end;
  std::chrono::milliseconds stall;
  std::shared_ptr<Fill::Reader> reader;
  GoOn go_on;
  std::shared_ptr<UncachedStream::Reader> uncached;  // once our disk has failed
};

FileRegion region(Following& body, std::uint64_t until) {
  const auto length = std::min({until, body.end, body.position + region_limit}) - body.position;
  FileRegion region{body.partial->file(), body.position, length};
  body.position += length;
  body.reader->position = body.position;
  return region;
}

Task<Piece> next_uncached(std::shared_ptr<UncachedStream::Reader> reader, std::uint64_t most,
                          std::chrono::milliseconds stall) {
  auto bytes = co_await reader->next(std::chrono::steady_clock::now() + stall);
  if (!bytes) co_return std::unexpected(std::move(bytes).error());
  if (!*bytes) co_return fail(ErrorCode::protocol, Blame::upstream, "the blob ended before the requested range");
  if ((*bytes)->size() > most) co_return std::make_shared<const std::string>((*bytes)->substr(0, most));
  co_return *std::move(bytes);
}

Task<Piece> next_filled(std::shared_ptr<Following> body) {
  if (!body->uncached) {
    const auto deadline = std::chrono::steady_clock::now() + body->stall;
    const auto readable = co_await body->partial->wait_readable(body->position, deadline);
    if (readable && *readable == 0) {
      co_return fail(ErrorCode::protocol, Blame::upstream, "the blob ended before the requested range");
    }
    if (readable) co_return region(*body, body->position + *readable);
    if (!is_not_kept(readable.error())) co_return std::unexpected(readable.error());
    auto uncached = body->go_on(body->partial, body->position, readable.error());
    if (!uncached) co_return std::unexpected(std::move(uncached).error());
    body->uncached = *std::move(uncached);
  }
  if (body->position < body->uncached->begin()) co_return region(*body, body->uncached->begin());
  auto piece = co_await next_uncached(body->uncached, body->end - body->position, body->stall);
  if (piece) body->position += std::get<std::shared_ptr<const std::string>>(*piece)->size();
  co_return piece;
}

}  // namespace

BodyStream stored_body(Blob blob, ByteRange range) {
  return {range.length(),
          [blob = std::move(blob), range] { return ready(FileRegion{blob.file, range.first, range.length()}); }};
}

BodyStream filling_body(std::shared_ptr<PartialBlob> partial, ByteRange range, std::chrono::milliseconds stall,
                        std::shared_ptr<Fill::Reader> reader, GoOn go_on) {
  auto body = std::make_shared<Following>(
      Following{std::move(partial), range.first, range.last + 1, stall, std::move(reader), std::move(go_on), nullptr});
  return {range.length(), [body] { return next_filled(body); }};
}

BodyStream uncached_body(std::shared_ptr<UncachedStream::Reader> reader, std::uint64_t size,
                         std::chrono::milliseconds stall) {
  return {size, [reader = std::move(reader), size, stall] { return next_uncached(reader, size, stall); }};
}

}  // namespace paddock
