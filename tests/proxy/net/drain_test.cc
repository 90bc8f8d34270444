// How a server ends.
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "storage/notifier.h"
#include "tests/proxy/net/server_fixture.h"

namespace paddock {
namespace {

// A body of two halves; the second comes when the gate is opened.
struct Gate {
  Notifier notifier;
  std::atomic<bool> open{false};
  void pass() {
    open = true;
    notifier.notify_all();
  }
};

Task<Result<BodyPiece>> next_half(std::shared_ptr<Gate> gate, std::shared_ptr<int> index) {
  if ((*index)++ == 0) co_return std::make_shared<const std::string>("first,");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (;;) {
    auto waiter = gate->notifier.subscribe(co_await asio::this_coro::executor);
    if (gate->open) co_return std::make_shared<const std::string>("second");
    const bool woken = co_await waiter.wait_until(deadline);
    if (!woken) co_return fail(ErrorCode::timeout, Blame::us, "the gate stayed shut");
  }
}

Handler gated(std::shared_ptr<Gate> gate) {
  return [gate](const Request&) -> Task<Response> {
    Response response;
    response.body =
        BodyStream{.length = 12, .next = [gate, index = std::make_shared<int>(0)] { return next_half(gate, index); }};
    co_return response;
  };
}

constexpr std::string_view get = "GET /s HTTP/1.1\r\nHost: h\r\n\r\n";

// The loops stop to accept one after the other.
bool comes_to_refuse(const ServerFixture& fixture) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < end) {
    try {
      (void)fixture.raw();
    } catch (const std::runtime_error&) {
      return true;
    }
  }
  return false;
}

TEST_CASE("draining lets a stream in flight end and closes what is idle") {
  const auto gate = std::make_shared<Gate>();
  ServerFixture fixture(gated(gate));
  fixture.serve();
  auto idle = fixture.raw();
  auto busy = fixture.raw();
  busy.send(get);
  busy.read_until("first,");
  CHECK(fixture.server->stats().streaming == 1);
  auto drained = std::async(std::launch::async, [&] { return fixture.server->drain(std::chrono::seconds(30)); });
  CHECK(idle.read_all().empty());  // so the drain has begun
  CHECK(comes_to_refuse(fixture));
  gate->pass();
  CHECK(busy.read_all() == "second");
  CHECK(busy.ended());
  CHECK(await(std::move(drained)));
  CHECK(fixture.server->stats().connections == 0);
}

TEST_CASE("what does not end in time is still there after a drain, and gone after an abort") {
  const auto gate = std::make_shared<Gate>();
  ServerFixture fixture(gated(gate));
  fixture.serve();
  auto client = fixture.raw();
  client.send(get);
  client.read_until("first,");
  CHECK_FALSE(fixture.server->drain(std::chrono::milliseconds(50)));
  CHECK(fixture.server->stats().connections == 1);
  auto aborted = std::async(std::launch::async, [&] { fixture.server->abort(); });
  client.read_all();
  CHECK(client.broken());
  gate->pass();
  aborted.get();
  const auto seen = fixture.seen();
  CHECK(seen.aborted);
  CHECK(seen.body_bytes == 6);
}

TEST_CASE("a request answered while draining is told that the connection closes") {
  const auto gate = std::make_shared<Gate>();
  ServerFixture fixture([gate](const Request&) -> Task<Response> {
    const auto index = std::make_shared<int>(1);
    auto piece = co_await next_half(gate, index);
    Response response;
    response.body = std::get<std::shared_ptr<const std::string>>(piece.value());
    co_return response;
  });
  fixture.serve();
  auto idle = fixture.raw();
  auto busy = fixture.raw();
  busy.send(std::string(get) + std::string(get));
  while (fixture.server->stats().streaming == 0) std::this_thread::yield();
  auto drained = std::async(std::launch::async, [&] { return fixture.server->drain(std::chrono::seconds(30)); });
  idle.read_all();
  gate->pass();
  const auto answer = busy.read_all();
  CHECK(answer.contains("\r\nConnection: close\r\n"));
  CHECK(answer.find("HTTP/1.1 200", 1) == std::string::npos);
  CHECK(await(std::move(drained)));
}

TEST_CASE("draining a server without connections is done at once") {
  ServerFixture fixture(echo);
  fixture.serve();
  CHECK(fixture.server->drain(std::chrono::seconds(30)));
  CHECK(fixture.server->drain(std::chrono::seconds(30)));
}

TEST_CASE("a server that never started gives its address back") {
  ServerFixture fixture(echo);
  REQUIRE(fixture.server->listen("127.0.0.1:0").has_value());
  const auto address = fixture.address();
  CHECK(fixture.server->drain(std::chrono::seconds(1)));
  CHECK(fixture.server->listen(address).has_value());
}

TEST_CASE("a server may be destroyed in the middle of everything") {
  const auto gate = std::make_shared<Gate>();
  auto fixture = std::make_unique<ServerFixture>(gated(gate));
  fixture->serve();
  auto busy = fixture->raw();
  busy.send(get);
  busy.read_until("first,");
  auto half = fixture->raw();
  half.send("GET / HT");
  fixture.reset();
  busy.read_all();
  CHECK(busy.broken());
}

TEST_CASE("loops stopped under a working server leave nothing behind") {
  const auto gate = std::make_shared<Gate>();
  ServerFixture fixture(gated(gate));
  fixture.serve();
  auto busy = fixture.raw();
  busy.send(get);
  busy.read_until("first,");
  fixture.loops.stop();
  fixture.server.reset();
}

}  // namespace
}  // namespace paddock
