#include "proxy/net/relay.h"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <vector>

#include "proxy/net/watchdog.h"

namespace paddock {
namespace {

constexpr std::size_t piece = std::size_t{64} * 1024;  // bytes

struct Pair {
  Pair(Connection& a, Connection& b, std::chrono::steady_clock::duration limit)
      : first(a),
        second(b),
        silence(limit),
        watchdog(a.get_executor(), [this] { fail("nobody said anything any more"); }) {
    watchdog.expires_after(silence);
  }
  // The first failure is the cause, others follow from it.
  void fail(std::string why) {
    if (failure.empty()) failure = std::move(why);
    first.abort();
    second.abort();
  }

  Connection& first;
  Connection& second;
  const std::chrono::steady_clock::duration silence;
  std::string failure;
  Watchdog watchdog;
};

Task<void> pump(Pair& pair, Connection& from, Connection& to, std::uint64_t& count) {
  std::vector<char> buffer(piece);
  for (;;) {
    const auto [ended, size] = co_await from.read(asio::buffer(buffer));
    if (ended == asio::error::eof) co_return to.end_sending();
    if (ended) co_return pair.fail(ended.message());
    for (std::size_t sent = 0; sent < size;) {
      const auto [failed, written] = co_await to.write_some(asio::buffer(buffer.data() + sent, size - sent));
      if (failed) co_return pair.fail(failed.message());
      sent += written;
      count += written;
      pair.watchdog.expires_after(pair.silence);
    }
  }
}

}  // namespace

Task<Relayed> relay(Connection& first, Connection& second, std::chrono::steady_clock::duration silence) {
  using namespace asio::experimental::awaitable_operators;
  Relayed relayed;
  Pair pair(first, second, silence);
  co_await (pump(pair, first, second, relayed.to_second) && pump(pair, second, first, relayed.to_first));
  relayed.failure = std::move(pair.failure);
  co_return relayed;
}

}  // namespace paddock
