// ByteRing: bytes between one coroutine that reads from the network and one that writes to the disk, on one event loop.
//
// Each side goes on as soon as it can. A step to the disk costs a change of threads and back, so that bytes are
// gathered for it: until half the buffer is full, or for `gather`. Not thread-safe: both sides run on the same
// single-threaded executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <span>

#include "storage/task.h"

namespace paddock {

class ByteRing {
 public:
  // `buffer` outlives it.
  ByteRing(const asio::any_io_executor& executor, std::span<std::byte> buffer, std::chrono::microseconds gather = {});

  // Waits for room; empty once closed.
  Task<std::span<std::byte>> room();
  void filled(std::size_t bytes);  // so many of room() now hold something
  // Waits for bytes; empty once closed and all have been taken.
  Task<std::span<const std::byte>> bytes();
  void taken(std::size_t bytes);
  // No more bytes come (what is there can still be taken), or are wanted.
  void close();

 private:
  static Task<void> wait(asio::steady_timer& signal);

  const std::span<std::byte> buffer_;
  const std::chrono::microseconds gather_;
  std::size_t begin_ = 0, size_ = 0;  // of what is there
  std::size_t wanted_ = 1;            // so many bytes are worth waking who waits for them
  bool closed_ = false;
  asio::steady_timer has_room_, has_bytes_;
};

}  // namespace paddock
