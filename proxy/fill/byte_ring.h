// ByteRing: bytes between one coroutine that reads from the network and one that writes to the disk, on one event loop.
//
// Each side goes on as soon as it can; when the disk is the slower one its steps get larger, when the network is, no
// byte waits for more to come. Not thread-safe: both sides run on the same single-threaded executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <span>

#include "storage/task.h"

namespace paddock {

class ByteRing {
 public:
  // `buffer` outlives it.
  ByteRing(const asio::any_io_executor& executor, std::span<std::byte> buffer);

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
  std::size_t begin_ = 0, size_ = 0;  // of what is there
  bool closed_ = false;
  asio::steady_timer has_room_, has_bytes_;
};

}  // namespace paddock
