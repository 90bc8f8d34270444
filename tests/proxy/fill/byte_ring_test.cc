#include "proxy/fill/byte_ring.h"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/support/run_task.h"

using namespace paddock;
using namespace asio::experimental::awaitable_operators;

namespace {

// As a socket does: the bytes come some time after room for them was found.
Task<void> elsewhere() { co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); }

// Puts `text` in, in pieces of random size.
Task<void> put(ByteRing& ring, const std::string& text, unsigned seed) {
  std::minstd_rand random(seed);
  for (std::size_t done = 0; done < text.size();) {
    const auto room = co_await ring.room();
    const auto n = std::min({room.size(), text.size() - done, std::size_t{1} + random() % 13});
    if (random() % 2 == 0) co_await elsewhere();
    std::memcpy(room.data(), text.data() + done, n);
    ring.filled(n);
    done += n;
  }
  ring.close();
}

Task<std::string> take(ByteRing& ring, unsigned seed) {
  std::minstd_rand random(seed);
  std::string text;
  for (;;) {
    const auto bytes = co_await ring.bytes();
    if (bytes.empty()) co_return text;
    const auto n = std::min<std::size_t>(bytes.size(), 1 + random() % 17);
    if (random() % 2 == 0) co_await elsewhere();
    text.append(reinterpret_cast<const char*>(bytes.data()), n);
    ring.taken(n);
  }
}

Task<std::string> through(std::string text, std::size_t capacity, unsigned seed) {
  std::vector<std::byte> buffer(capacity);
  ByteRing ring(co_await asio::this_coro::executor, buffer);
  co_return co_await (put(ring, text, seed) && take(ring, seed + 1));
}

Task<std::size_t> room_after(std::size_t filled, std::size_t taken) {
  std::vector<std::byte> buffer(100);
  ByteRing ring(co_await asio::this_coro::executor, buffer);
  (void)co_await ring.room();
  ring.filled(filled);
  (void)co_await ring.bytes();
  ring.taken(taken);
  const auto room = co_await ring.room();
  co_return room.size();
}

Task<bool> closed_is_empty() {
  std::vector<std::byte> buffer(10);
  ByteRing ring(co_await asio::this_coro::executor, buffer);
  ring.close();
  const auto room = co_await ring.room();
  const auto bytes = co_await ring.bytes();
  co_return room.empty() && bytes.empty();
}

constexpr std::chrono::hours for_ever{10'000};

Task<void> fill_with(ByteRing& ring, std::vector<std::size_t> steps, bool close) {
  for (const auto step : steps) {
    (void)co_await ring.room();
    co_await elsewhere();
    ring.filled(step);
  }
  if (close) ring.close();
}

Task<std::size_t> gathered(std::vector<std::size_t> steps, bool close, std::chrono::microseconds gather) {
  std::vector<std::byte> buffer(100);
  ByteRing ring(co_await asio::this_coro::executor, buffer, gather);
  const auto bytes = co_await (ring.bytes() && fill_with(ring, std::move(steps), close));
  co_return bytes.size();
}

}  // namespace

TEST_CASE("what goes in comes out, whatever the pieces") {
  const unsigned seed = GENERATE(1U, 2U, 3U);
  const std::size_t capacity = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{64});
  std::string text(5'000, '\0');
  std::minstd_rand random(seed);
  for (char& c : text) c = static_cast<char>(random());
  CHECK(run_task(through(text, capacity, seed)) == text);
}

TEST_CASE("an emptied ring has all its room in one piece") {
  CHECK(run_task(room_after(60, 60)) == 100);
  CHECK(run_task(room_after(60, 20)) == 40);   // up to the end first
  CHECK(run_task(room_after(100, 30)) == 30);  // then at the beginning
}

TEST_CASE("a closed ring takes nothing and gives what it has") { CHECK(run_task(closed_is_empty())); }

TEST_CASE("bytes are gathered until half the buffer is full, until the end, or for a moment") {
  CHECK(run_task(gathered({10, 10, 40}, false, for_ever)) == 60);
  CHECK(run_task(gathered({10, 10}, true, for_ever)) == 20);
  CHECK(run_task(gathered({10}, false, std::chrono::microseconds(1))) == 10);
}
