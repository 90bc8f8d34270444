#include "proxy/fill/byte_ring.h"

#include <algorithm>
#include <chrono>

#include "proxy/fill/timer_wait.h"

namespace paddock {

ByteRing::ByteRing(const asio::any_io_executor& executor, std::span<std::byte> buffer, std::chrono::microseconds gather)
    : buffer_(buffer), gather_(gather), has_room_(executor), has_bytes_(executor) {}

Task<void> ByteRing::wait(asio::steady_timer& signal) {
  signal.expires_at(std::chrono::steady_clock::time_point::max());
  co_await wait_for(signal);
}

Task<std::span<std::byte>> ByteRing::room() {
  while (size_ == buffer_.size() && !closed_) co_await wait(has_room_);
  if (closed_) co_return std::span<std::byte>();
  if (size_ == 0) begin_ = 0;  // whole again; only here, as nobody is filling or taking now
  const std::size_t at = (begin_ + size_) % buffer_.size();
  const std::size_t end = at < begin_ ? begin_ : buffer_.size();
  co_return buffer_.subspan(at, std::min(end - at, buffer_.size() - size_));
}

void ByteRing::filled(std::size_t bytes) {
  size_ += bytes;
  if (size_ >= wanted_) has_bytes_.cancel();
}

Task<std::span<const std::byte>> ByteRing::bytes() {
  while (size_ == 0 && !closed_) co_await wait(has_bytes_);
  wanted_ = buffer_.size() / 2;
  if (gather_.count() > 0 && size_ < wanted_ && !closed_) {
    has_bytes_.expires_after(gather_);
    co_await wait_for(has_bytes_);
  }
  wanted_ = 1;
  co_return buffer_.subspan(begin_, std::min(size_, buffer_.size() - begin_));
}

void ByteRing::taken(std::size_t bytes) {
  begin_ = (begin_ + bytes) % buffer_.size();
  size_ -= bytes;
  has_room_.cancel();
}

void ByteRing::close() {
  closed_ = true;
  has_room_.cancel();
  has_bytes_.cancel();
}

}  // namespace paddock
