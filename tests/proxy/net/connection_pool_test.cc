#include "proxy/net/connection_pool.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>

#include "tests/proxy/net/raw_socket.h"

namespace paddock {
namespace {

struct Pair {
  std::unique_ptr<Connection> ours;
  RawSocket theirs;
};

Pair make_pair(asio::io_context& loop) {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
  return {std::make_unique<Connection>(Connection::Socket(loop, {AF_UNIX, 0}, fds[0])), RawSocket(fds[1])};
}

std::shared_ptr<ConnectionPool> make_pool(std::size_t per_key, std::chrono::milliseconds idle_timeout) {
  return std::make_shared<ConnectionPool>(per_key, idle_timeout);
}

constexpr std::chrono::hours long_time{1};

TEST_CASE("a pool gives back what was put in, the latest first") {
  asio::io_context loop;
  const auto pool = make_pool(4, long_time);
  const PoolKey key{.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}};
  auto first = make_pair(loop);
  auto second = make_pair(loop);
  const auto* const first_one = first.ours.get();
  const auto* const second_one = second.ours.get();
  pool->put(key, std::move(first.ours));
  pool->put(key, std::move(second.ours));
  CHECK(pool->idle() == 2);
  CHECK(pool->take(key).get() == second_one);
  CHECK(pool->take(key).get() == first_one);
  CHECK(pool->take(key) == nullptr);
}

TEST_CASE("only what agrees in everything is given") {
  asio::io_context loop;
  asio::io_context other_loop;
  const auto pool = make_pool(4, long_time);
  const PoolKey key{.loop = &loop, .origin = "https://a", .proxy = "", .tls = std::make_shared<TlsClientContext>()};
  auto pair = make_pair(loop);
  pool->put(key, std::move(pair.ours));
  auto differs = key;
  SECTION("the loop") { differs.loop = &other_loop; }
  SECTION("the origin") { differs.origin = "https://b"; }
  SECTION("the proxy") { differs.proxy = "http://p"; }
  SECTION("what is trusted") { differs.tls = std::make_shared<TlsClientContext>(); }
  SECTION("where it may lead") { differs.public_addresses_only = true; }
  CHECK(pool->take(differs) == nullptr);
  CHECK(pool->take(key) != nullptr);
}

TEST_CASE("what the other side closed or spoke on is not given again") {
  asio::io_context loop;
  const auto pool = make_pool(4, long_time);
  const PoolKey key{.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}};
  auto pair = make_pair(loop);
  pool->put(key, std::move(pair.ours));
  SECTION("closed") { pair.theirs.close(); }
  SECTION("spoken") { pair.theirs.send("HTTP/1.1 408 Request Timeout\r\n\r\n"); }
  CHECK(pool->take(key) == nullptr);
  CHECK(pool->idle() == 0);
}

TEST_CASE("a full shelf lets its oldest go") {
  asio::io_context loop;
  const auto pool = make_pool(2, long_time);
  const PoolKey key{.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}};
  std::vector<Pair> pairs;
  for (int i = 0; i < 3; ++i) {
    pairs.push_back(make_pair(loop));
    pool->put(key, std::move(pairs.back().ours));
  }
  CHECK(pool->idle() == 2);
  CHECK(pairs[0].theirs.read_all().empty());
  CHECK(pairs[0].theirs.ended());
}

TEST_CASE("a pool of no size keeps nothing") {
  asio::io_context loop;
  const auto pool = make_pool(0, long_time);
  auto pair = make_pair(loop);
  pool->put({.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}}, std::move(pair.ours));
  CHECK(pool->idle() == 0);
  CHECK(pair.theirs.read_all().empty());
}

TEST_CASE("what was idle too long is closed at the next use of the pool") {
  asio::io_context loop;
  const auto pool = make_pool(4, std::chrono::milliseconds(0));
  const PoolKey key{.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}};
  auto pair = make_pair(loop);
  pool->put(key, std::move(pair.ours));
  CHECK(pool->take({.loop = &loop, .origin = "http://b", .proxy = {}, .tls = {}}) == nullptr);
  CHECK(pool->idle() == 0);
  CHECK(pair.theirs.read_all().empty());
}

TEST_CASE("a loop takes its connections with it, and no others") {
  const auto pool = make_pool(4, long_time);
  asio::io_context stays;
  auto kept = make_pair(stays);
  pool->put({.loop = &stays, .origin = "http://a", .proxy = {}, .tls = {}}, std::move(kept.ours));
  {
    asio::io_context goes;
    auto pair = make_pair(goes);
    pool->put({.loop = &goes, .origin = "http://a", .proxy = {}, .tls = {}}, std::move(pair.ours));
    CHECK(pool->idle() == 2);
  }
  CHECK(pool->idle() == 1);
}

TEST_CASE("a loop that outlives its pool is fine") {
  asio::io_context loop;
  auto pool = make_pool(4, long_time);
  auto pair = make_pair(loop);
  pool->put({.loop = &loop, .origin = "http://a", .proxy = {}, .tls = {}}, std::move(pair.ours));
  pool.reset();
  CHECK(pair.theirs.read_all().empty());
}

}  // namespace
}  // namespace paddock
