#include "proxy/net/body_writer.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace paddock {
namespace {

using Failure = BodyWriter::Failure;

constexpr auto too_short = "a file is shorter than it should be";
constexpr std::uint64_t kernel_step = std::uint64_t{2} << 20U;  // bytes, between two looks at what is in memory
constexpr std::chrono::seconds still_in_memory{1};              // what was seen there

void cut_off(FileRegion& region, std::uint64_t bytes) {
  region.offset += bytes;
  region.length -= bytes;
}

// Such as a file system that knows no sendfile(2), or a disk that fails.
bool concerns_the_file(const Connection::SystemError& error) {
  return error == boost::system::errc::invalid_argument || error == boost::system::errc::function_not_supported ||
         error == boost::system::errc::operation_not_supported || error == boost::system::errc::invalid_seek ||
         error == boost::system::errc::io_error;
}

std::uint64_t size_of(const BodyPiece& piece) {
  const auto* const region = std::get_if<FileRegion>(&piece);
  return region != nullptr ? region->length : std::get<std::shared_ptr<const std::string>>(piece)->size();
}

}  // namespace

Task<Failure> BodyWriter::send(const BodyStream& body) {
  while (sent_ < body.length) {
    connection_.no_deadline();  // it is not the client that we wait for
    auto piece = co_await body.next();
    if (!piece) co_return piece.error().context;
    const auto size = size_of(*piece);
    if (size == 0 && body.length == BodyStream::endless) break;
    if (size == 0) co_return "the body ended early";
    if (size > body.length - sent_) co_return "the body is longer than announced";
    Failure failed;
    if (auto* const region = std::get_if<FileRegion>(&*piece)) {
      failed = co_await send_region(std::move(*region));
    } else {
      failed = co_await send_bytes(asio::buffer(*std::get<std::shared_ptr<const std::string>>(*piece)));
    }
    if (failed) co_return failed;
  }
  co_return std::nullopt;
}

Failure BodyWriter::begin_text(std::string_view header, std::string_view body) {
  text_ = {asio::buffer(header), asio::buffer(body)};
  const auto error = connection_.write_at_once(text_);
  sent_ = body.size() - text_[1].size();
  return failure(error);
}

Task<Failure> BodyWriter::finish_text() {
  const auto header = text_[0].size();
  std::uint64_t written = 0;
  const auto error = co_await connection_.write_body(std::exchange(text_, {}), stall_, &written, records_);
  sent_ += written - std::min<std::uint64_t>(written, header);
  co_return failure(error);
}

Task<Failure> BodyWriter::send_region(FileRegion region) {
  kernel_ = kernel_ && !connection_.encrypts() && region.file->descriptor() >= 0;
  connection_.begin_sending(stall_);
  while (region.length != 0) {
    const auto in_memory = kernel_ ? region.file->in_memory(region.offset, std::min(region.length, kernel_step)) : 0;
    auto failed = in_memory != 0 ? co_await send_by_kernel(region, in_memory) : co_await send_through_buffer(region);
    if (failed) co_return failed;
  }
  co_return std::nullopt;
}

Task<Failure> BodyWriter::send_by_kernel(FileRegion& region, std::uint64_t bytes) {
  const auto begun = std::chrono::steady_clock::now();
  while (bytes != 0 && std::chrono::steady_clock::now() - begun < still_in_memory) {
    const auto [error, size] = co_await connection_.send_file(region.file->descriptor(), region.offset, bytes);
    if (error == asio::error::try_again) continue;
    if (concerns_the_file(error)) {
      kernel_ = false;  // what is wrong shows when it is read
      co_return std::nullopt;
    }
    if (error) co_return failure(error);
    if (size == 0) co_return too_short;
    connection_.took(size);
    sent_ += size;
    bytes -= size;
    cut_off(region, size);
  }
  co_await asio::post(connection_.get_executor(), asio::use_awaitable);  // others' turn: it may never have had to wait
  co_return std::nullopt;
}

Task<Failure> BodyWriter::send_through_buffer(FileRegion& region) {
  // Where we encrypt there is a second buffer, of what comes of it: together they are no larger.
  const auto size = connection_.encrypts() ? buffer_size_ / 2 : buffer_size_;
  if (!buffer_) buffer_ = std::make_shared<std::vector<std::byte>>(size);
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(region.length, size));
  std::size_t got = region.file->read_cached(region.offset, std::span(*buffer_).first(wanted));
  if (got == 0) {
    connection_.no_deadline();
    auto read = co_await pool_.run([file = region.file, offset = region.offset, buffer = buffer_, wanted] {
      return file->read_at(offset, std::span(*buffer).first(wanted));
    });
    if (!read) co_return read.error().context;
    if (*read != wanted) co_return too_short;
    got = wanted;
  }
  cut_off(region, got);
  co_return co_await send_bytes(asio::buffer(buffer_->data(), got));
}

Task<Failure> BodyWriter::send_bytes(asio::const_buffer bytes) {
  co_return failure(co_await connection_.write_body({bytes, {}}, stall_, &sent_, records_));
}

Failure BodyWriter::failure(const Connection::SystemError& error) const {
  if (!error) return std::nullopt;
  if (connection_.timed_out()) return "the client stopped reading";
  return "the client went away: " + error.message();
}

}  // namespace paddock
