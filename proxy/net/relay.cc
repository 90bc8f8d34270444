#include "proxy/net/relay.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <utility>
#include <vector>

namespace paddock {
namespace {

constexpr std::size_t piece = std::size_t{16} * 1024;  // bytes, twice for each tunnel

}  // namespace

Relay::Relay(Connection& first, Connection& second, std::chrono::steady_clock::duration silence)
    : first_(first),
      second_(second),
      silence_(silence),
      watchdog_(first.get_executor(), [this] { fail("nobody said anything any more"); }) {}

Task<Relayed> Relay::run() {
  using namespace asio::experimental::awaitable_operators;
  watchdog_.expires_after(silence_);
  co_await (pump(first_, second_, relayed_.to_second) && pump(second_, first_, relayed_.to_first));
  watchdog_.disarm();
  co_return std::move(relayed_);
}

void Relay::hurry(std::chrono::steady_clock::duration silence) {
  silence_ = std::min(silence_, silence);
  watchdog_.expires_after(silence_);
}

// The first failure is the cause, others follow from it.
void Relay::fail(std::string why) {
  if (relayed_.failure.empty()) relayed_.failure = std::move(why);
  first_.abort();
  second_.abort();
}

Task<void> Relay::pump(Connection& from, Connection& to, std::uint64_t& count) {
  std::vector<char> buffer(piece);
  for (;;) {
    const auto [ended, size] = co_await from.read(asio::buffer(buffer));
    if (ended == asio::error::eof) co_return to.end_sending();
    if (ended) co_return fail(ended.message());
    for (std::size_t sent = 0; sent < size;) {
      const auto [failed, written] = co_await to.write_some(asio::buffer(buffer.data() + sent, size - sent));
      if (failed) co_return fail(failed.message());
      sent += written;
      count += written;
      watchdog_.expires_after(silence_);
    }
  }
}

}  // namespace paddock
