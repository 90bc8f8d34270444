#include "proxy/net/body_writer.h"

#include <algorithm>

namespace paddock {
namespace {

std::uint64_t size_of(const BodyPiece& piece) {
  const auto* const region = std::get_if<FileRegion>(&piece);
  return region != nullptr ? region->length : std::get<std::shared_ptr<const std::string>>(piece)->size();
}

}  // namespace

Task<std::optional<std::string>> BodyWriter::send(const BodyStream& body) {
  while (sent_ < body.length) {
    auto piece = co_await body.next();
    if (!piece) co_return piece.error().context;
    const auto size = size_of(*piece);
    if (size == 0) co_return "the body ended early";
    if (size > body.length - sent_) co_return "the body is longer than announced";
    std::optional<std::string> failed;
    if (auto* const region = std::get_if<FileRegion>(&*piece)) {
      failed = co_await send_region(std::move(*region));
    } else {
      failed = co_await send_bytes(asio::buffer(*std::get<std::shared_ptr<const std::string>>(*piece)), {});
    }
    if (failed) co_return failed;
  }
  co_return std::nullopt;
}

Task<std::optional<std::string>> BodyWriter::send_text(std::string_view header, std::string_view body) {
  auto failed = co_await send_bytes(asio::buffer(header), asio::buffer(body));
  sent_ -= std::min<std::uint64_t>(sent_, header.size());
  co_return failed;
}

Task<std::optional<std::string>> BodyWriter::send_region(FileRegion region) {
  if (!buffer_) buffer_ = std::make_shared<std::vector<std::byte>>(buffer_size_);
  while (region.length != 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(region.length, buffer_size_));
    std::size_t got = region.file->read_cached(region.offset, std::span(*buffer_).first(wanted));
    if (got == 0) {
      connection_.no_deadline();
      auto read = co_await pool_.run([file = region.file, offset = region.offset, buffer = buffer_, wanted] {
        return file->read_at(offset, std::span(*buffer).first(wanted));
      });
      if (!read) co_return read.error().context;
      if (*read != wanted) co_return "a file is shorter than it should be";
      got = wanted;
    }
    if (auto failed = co_await send_bytes(asio::buffer(buffer_->data(), got), {})) co_return failed;
    region.offset += got;
    region.length -= got;
  }
  co_return std::nullopt;
}

Task<std::optional<std::string>> BodyWriter::send_bytes(asio::const_buffer first, asio::const_buffer second) {
  const auto error = co_await connection_.write({first, second}, stall_, &sent_);
  if (!error) co_return std::nullopt;
  if (connection_.timed_out()) co_return "the client stopped reading";
  co_return "the client went away: " + error.message();
}

}  // namespace paddock
