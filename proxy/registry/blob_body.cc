#include "proxy/registry/blob_body.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace paddock {
namespace {

using Piece = Result<BodyPiece>;

// How much is handed over at a time, so that a client that goes away is noticed and waiting stays fair.
constexpr std::uint64_t region_limit = std::uint64_t{16} * 1024 * 1024;
constexpr std::size_t passing_buffer = std::size_t{256} * 1024;

Task<Piece> ready(BodyPiece piece) { co_return piece; }

struct Following {
  std::shared_ptr<PartialBlob> partial;
  std::uint64_t position, end;
  std::chrono::milliseconds stall;
  std::shared_ptr<Fill::Reader> reader;
};

Task<Piece> next_filled(std::shared_ptr<Following> body) {
  const auto deadline = std::chrono::steady_clock::now() + body->stall;
  auto readable = co_await body->partial->wait_readable(body->position, deadline);
  if (!readable) co_return std::unexpected(std::move(readable).error());
  const auto length = std::min({*readable, body->end - body->position, region_limit});
  if (length == 0) co_return fail(ErrorCode::protocol, Blame::upstream, "the blob ended before the requested range");
  FileRegion region{body->partial->file(), body->position, length};
  body->position += length;
  body->reader->position = body->position;
  co_return region;
}

struct Passing {
  BlobTransfer transfer;
  std::uint64_t position;  // of the next byte from the transfer
  std::uint64_t size;
  Digest digest;
  Hasher hasher;
  BlockingPool& pool;
  std::vector<std::byte> buffer;
};

Task<Piece> next_passed(std::shared_ptr<Passing> body) {
  const auto count = co_await body->transfer.read(body->buffer);
  if (!count) co_return std::unexpected(count.error());
  if (*count == 0) co_return fail(ErrorCode::unavailable, Blame::upstream, "the upstream ended the transfer early");
  const auto bytes = std::span(body->buffer).first(*count);
  body->position += *count;
  if (body->position > body->size) co_return fail(ErrorCode::protocol, Blame::upstream, "more bytes than announced");
  co_await body->pool.run([&body, bytes]() -> Result<void> {
    body->hasher.update(bytes);
    return {};
  });
  if (body->position == body->size && body->hasher.finish() != body->digest) {
    co_return fail(ErrorCode::digest_mismatch, Blame::upstream,
                   "the upstream sent other bytes than " + body->digest.to_string());
  }
  co_return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

BodyStream stored_body(Blob blob, ByteRange range) {
  return {range.length(),
          [blob = std::move(blob), range] { return ready(FileRegion{blob.file, range.first, range.length()}); }};
}

BodyStream filling_body(std::shared_ptr<PartialBlob> partial, ByteRange range, std::chrono::milliseconds stall,
                        std::shared_ptr<Fill::Reader> reader) {
  auto body =
      std::make_shared<Following>(Following{std::move(partial), range.first, range.last + 1, stall, std::move(reader)});
  return {range.length(), [body] { return next_filled(body); }};
}

BodyStream passing_body(BlobTransfer transfer, std::uint64_t size, Digest digest, BlockingPool& pool) {
  auto body = std::make_shared<Passing>(Passing{std::move(transfer), 0, size, digest, Hasher(digest.algorithm()), pool,
                                                std::vector<std::byte>(passing_buffer)});
  return {size, [body] { return next_passed(body); }};
}

}  // namespace paddock
