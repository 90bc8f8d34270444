// Connections of the client that are used again, and those that must not be.
#include <catch2/catch.hpp>
#include <thread>

#include "proxy/net/client.h"
#include "proxy/net/tls.h"
#include "tests/proxy/net/raw_socket.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/support/loop_thread.h"
#include "tests/support/run_task.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

constexpr std::string_view hi = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

Task<Result<std::string>> fetch(HttpClient* client, Url url, Method method = Method::get) {
  auto response = co_await client->send({.method = method, .url = std::move(url)});
  if (!response) co_return std::unexpected(response.error());
  co_return co_await read_all(**response, 1'000'000);
}

// Serves connections one after the other: each says the given answers in turn, one a request, then closes.
class Script {
 public:
  explicit Script(std::vector<std::vector<std::string>> connections)
      : thread_([this, connections = std::move(connections)] {
          for (const auto& answers : connections) serve(answers);
        }) {}
  ~Script() { thread_.join(); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  [[nodiscard]] Url url() const { return Url::parse(listener_.url()).value(); }

 private:
  void serve(const std::vector<std::string>& answers) {
    auto client = listener_.accept();
    for (const auto& answer : answers) {
      if (client.read_until("\r\n\r\n").empty()) return;
      client.send(answer);
    }
  }
  RawListener listener_;
  std::thread thread_;
};

TEST_CASE("a connection is used again after a body was read to its end") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  const Script script({{std::string(hi), chunked, std::string(hi)}});
  HttpClient client({});
  LoopThread loop;
  for (int i = 0; i < 3; ++i) CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  client.close_idle();
}

TEST_CASE("a connection whose peer closed it meanwhile is replaced") {
  const Script script({{std::string(hi)}, {std::string(hi)}});
  HttpClient client({});
  LoopThread loop;
  CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  client.close_idle();
}

TEST_CASE("a connection that dies with the request in it is replaced once, silently") {
  RawListener listener;
  const auto url = Url::parse(listener.url()).value();
  std::thread peer([&listener] {
    {
      auto first = listener.accept();
      first.read_until("\r\n\r\n");
      first.send(hi);
      first.read_until("\r\n\r\n");  // the second request arrives, and is never answered
      first.reset();
    }
    auto second = listener.accept();
    second.read_until("\r\n\r\n");
    second.send(hi);
  });
  HttpClient client({});
  LoopThread loop;
  CHECK(await(loop.spawn(fetch(&client, url))) == "hi");
  CHECK(await(loop.spawn(fetch(&client, url))) == "hi");
  client.close_idle();
  peer.join();
}

TEST_CASE("a POST is never sent twice") {
  RawListener listener;
  const auto url = Url::parse(listener.url()).value();
  std::thread peer([&listener] {
    auto first = listener.accept();
    first.read_until("\r\n\r\n");
    first.send(hi);
    first.read_until("\r\n\r\n");
    first.reset();
  });
  HttpClient client({});
  LoopThread loop;
  CHECK(await(loop.spawn(fetch(&client, url))) == "hi");
  const auto second = await(loop.spawn(fetch(&client, url, Method::post)));
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::unavailable);
  peer.join();
}

TEST_CASE("connections that cannot be trusted with another request are not kept") {
  const std::string answer =
      GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
               "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, there is more", "HTTP/1.1 200 OK\r\n\r\nhi");
  CAPTURE(answer);
  // Were the first connection used again, the second answer would be the poisoned one.
  const Script script({{answer}, {std::string(hi)}});
  HttpClient client({});
  LoopThread loop;
  CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  client.close_idle();
}

Task<Result<int>> only_header(HttpClient* client, Url url) {
  auto response = co_await client->send({.url = std::move(url)});
  if (!response) co_return std::unexpected(response.error());
  co_return (*response)->status();
}

TEST_CASE("a response dropped before its end closes its connection") {
  const std::string large = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234";
  const Script script({{large, "never"}, {std::string(hi)}});
  HttpClient client({});
  LoopThread loop;
  CHECK(await(loop.spawn(only_header(&client, script.url()))) == 200);
  CHECK(await(loop.spawn(fetch(&client, script.url()))) == "hi");
  client.close_idle();
}

TEST_CASE("idle connections are closed when told") {
  ServerFixture fixture(echo);
  fixture.serve();
  CHECK(fixture.get("/a").has_value());
  CHECK(fixture.server->stats().connections == 1);
  CHECK(fixture.get("/b").has_value());
  CHECK(fixture.server->stats().connections == 1);
  fixture.client.close_idle();
  CHECK(fixture.server->drain(std::chrono::seconds(30)));
}

TEST_CASE("TLS connections are kept too, for those who trust the same") {
  TestCa ca;
  const auto files = ca.issue_local();
  ServerFixture fixture(echo);
  fixture.serve(make_tls_server(files.certificate, files.key).value());
  ClientRequest request{.url = fixture.url("/a", true), .tls = make_tls_client(ca.file()).value()};
  for (int i = 0; i < 3; ++i) CHECK(fixture.ask(request).has_value());
  CHECK(fixture.server->stats().connections == 1);
  request.tls = make_tls_client(ca.file()).value();
  CHECK(fixture.ask(request).has_value());
  CHECK(fixture.server->stats().connections == 2);
}

TEST_CASE("a client outlives the loops its connections were on") {
  const Script script({{std::string(hi)}, {std::string(hi)}});
  HttpClient client({});
  CHECK(run_task(fetch(&client, script.url())) == "hi");
  CHECK(run_task(fetch(&client, script.url())) == "hi");
}

TEST_CASE("loops do not share connections") {
  ServerFixture fixture(echo);
  fixture.serve();
  HttpClient client({});
  {
    LoopThread one;
    LoopThread two;
    CHECK(await(one.spawn(fetch(&client, fixture.url("/a")))).has_value());
    CHECK(await(two.spawn(fetch(&client, fixture.url("/b")))).has_value());
    CHECK(fixture.server->stats().connections == 2);
  }
}

Task<std::size_t> fetch_many(HttpClient* client, Url url, int times) {
  std::size_t good = 0;
  for (int i = 0; i < times; ++i) {
    const auto got = co_await fetch(client, url);
    if (got) ++good;
  }
  co_return good;
}

TEST_CASE("many coroutines on several loops use one client") {
  ServerFixture fixture(echo);
  fixture.serve();
  std::vector<std::future<std::size_t>> all;
  for (std::size_t i = 0; i < 16; ++i) {
    all.push_back(
        asio::co_spawn(fixture.loops.at(i % 2), fetch_many(&fixture.client, fixture.url("/x"), 20), asio::use_future));
  }
  for (auto& one : all) CHECK(await(std::move(one)) == 20);
}

}  // namespace
}  // namespace paddock
