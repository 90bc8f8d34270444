#include "proxy/net/server.h"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <thread>
#include <vector>

#include "tests/proxy/net/server_fixture.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

TEST_CASE("a request reaches the handler and its answer the client") {
  ServerFixture fixture(echo);
  fixture.serve();
  const auto answer = fixture.get("/v2/a?n=1").value();
  CHECK(answer.status == 200);
  CHECK(answer.body == "GET /v2/a ");
  CHECK(answer.headers.get("X-Query") == "n=1");
  CHECK(answer.headers.get("X-Host") == fixture.address());
  CHECK(answer.content_length == answer.body.size());
  const auto seen = fixture.seen();
  CHECK(seen.path == "/v2/a");
  CHECK(seen.status == 200);
  CHECK(seen.body_bytes == answer.body.size());
  CHECK_FALSE(seen.aborted);
  CHECK(seen.id.size() == 16);
  CHECK(seen.peer.starts_with("127.0.0.1:"));
}

TEST_CASE("every request has an id of its own") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  client.read_response();
  client.read_response();
  CHECK(fixture.seen(1).id != fixture.seen(2).id);
}

TEST_CASE("pipelined requests are answered in their order") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  for (int i = 0; i < 50; ++i) {
    CHECK(client.read_response().ends_with("GET /" + std::to_string(i) + " "));
  }
}

TEST_CASE("a request that comes byte by byte is one request") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  for (const char c : std::string("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")) client.send(std::string(1, c));
  CHECK(client.read_response().ends_with("GET /slow "));
}

TEST_CASE("HTTP/1.0 is answered and closed unless it asks to go on") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.0\r\n\r\n");
  const auto answer = client.read_all();
  CHECK(answer.contains("Connection: close"));
  CHECK(answer.ends_with("GET /a "));
  CHECK(client.ended());
  auto keeping = fixture.raw();
  keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(keeping.read_response().contains("Connection: keep-alive"));
  keeping.send("GET /b HTTP/1.0\r\n\r\n");
  CHECK(keeping.read_response().ends_with("GET /b "));
}

TEST_CASE("Connection: close is honoured") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto answer = client.read_all();
  CHECK(answer.ends_with("GET /a "));
  CHECK(client.ended());
}

TEST_CASE("HEAD has the length of GET and no body") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").contains("Content-Length: 10\r\n"));
  CHECK(client.read_response().ends_with("GET /x "));
}

TEST_CASE("204 and 304 have no body and the connection goes on") {
  const int status = GENERATE(204, 304);
  ServerFixture fixture([status](const Request& request) -> Task<Response> {
    Response response;
    response.status = request.path == "/none" ? status : 200;
    response.body = "text";
    co_return response;
  });
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /none HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 " + std::to_string(status)));
  CHECK(client.read_response().ends_with("\r\n\r\ntext"));
}

TEST_CASE("request bodies come with a length or in chunks") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(client.read_response().ends_with("POST /a hello"));
  client.send(
      "PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n");
  CHECK(client.read_response().ends_with("PUT /b abcde"));
}

TEST_CASE("a client that expects 100-continue gets it before it sends") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto client = fixture.raw();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  CHECK(client.read_response().ends_with("POST /a hello"));
}

TEST_CASE("a body over the limit is refused before it is sent") {
  ServerFixture fixture(echo, {.body_limit = 100});
  fixture.serve();
  auto client = fixture.raw();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_all().starts_with("HTTP/1.1 413 "));
  CHECK(client.ended());
}

TEST_CASE("a server that takes no bodies answers from the header alone and ends the connection") {
  ServerFixture fixture(echo, {.body_limit = 100, .request_bodies = false});
  fixture.serve();
  auto patient = fixture.raw();
  patient.send("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n");
  const auto answer = patient.read_until("PUT /a ");
  CHECK(answer.starts_with("HTTP/1.1 200 "));  // and not 100
  CHECK(answer.contains("\r\nConnection: close\r\n"));
  CHECK(patient.read_all().empty());
  CHECK(patient.ended());
  auto chunked = fixture.raw();
  chunked.send("PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nC8\r\n");
  CHECK(chunked.read_all().ends_with("PUT /b "));
  auto none = fixture.raw();
  none.send("PUT /c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nGET /d HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(none.read_response().ends_with("PUT /c "));
  CHECK(none.read_response().ends_with("GET /d "));
}

TEST_CASE("a client that sends its whole body before it reads still gets the answer") {
  ServerFixture fixture(echo, {.farewell = std::chrono::minutes(1), .request_bodies = false});
  fixture.serve();
  auto client = fixture.raw();
  client.send("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 16777216\r\n\r\n");
  const std::string piece(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 16; ++i) REQUIRE(client.send(piece));
  CHECK(client.read_all().ends_with("PUT /a "));
  CHECK_FALSE(client.broken());
}

TEST_CASE("what is answered without the handler has the headers that the server was given") {
  ServerFixture fixture(
      [](const Request&) -> Task<Response> {
        throw std::runtime_error("a bug");
        co_return Response{};
      },
      {.connection_limit = 1, .refusal_headers = {{"X-Own", "yes"}}});
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_response().contains("\r\nX-Own: yes\r\n"));
  auto second = fixture.raw();
  CHECK(second.read_until("}]}").contains("\r\nX-Own: yes\r\n"));
  client.send("nonsense\r\n\r\n");
  CHECK(client.read_all().contains("\r\nX-Own: yes\r\n"));
}

TEST_CASE("a chunked body over the limit is refused") {
  ServerFixture fixture(echo, {.body_limit = 100});
  fixture.serve();
  auto client = fixture.raw();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nC8\r\n" + std::string(200, 'x') +
              "\r\n");
  CHECK(client.read_all().starts_with("HTTP/1.1 413 "));
}

TEST_CASE("a handler's exception is a 500 and the connection goes on") {
  ServerFixture fixture([](const Request& request) -> Task<Response> {
    if (request.path == "/throw") throw std::runtime_error("a \"bug\"");
    Response response;
    if (request.path == "/status") response.status = 99;
    co_return response;
  });
  fixture.serve();
  auto client = fixture.raw();
  for (const std::string path : {"/throw", "/status"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answer = client.read_response();
    CHECK(answer.starts_with("HTTP/1.1 500 "));
    CHECK(answer.ends_with(R"({"errors":[{"code":"UNKNOWN","message":"internal error"}]})"));
  }
  client.send("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_response().starts_with("HTTP/1.1 200 "));
  CHECK(fixture.seen(1).status == 500);
}

TEST_CASE("a header that is never finished ends the connection without an answer") {
  ServerFixture fixture(echo, {.header_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /slow HTTP/1.1\r\nHost:");
  CHECK(client.read_all().empty());
}

TEST_CASE("a connection that says nothing is closed") {
  ServerFixture fixture(echo, {.header_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = fixture.raw();
  CHECK(client.read_all().empty());
}

TEST_CASE("a connection that is idle for too long is closed") {
  ServerFixture fixture(echo, {.idle_timeout = std::chrono::seconds(1)});
  fixture.serve();
  auto client = fixture.raw();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_response().ends_with("GET /a "));
  CHECK(client.read_all().empty());
}

TEST_CASE("while one loop is busy others accept") {
  ServerFixture fixture(echo);
  fixture.serve();
  const auto held = GENERATE(std::size_t{0}, std::size_t{1});
  std::promise<void> released;
  asio::post(fixture.loops.at(held), [until = released.get_future().share()] { until.wait(); });
  // The kernel deals them out: not all of so many to the loop that is held.
  std::vector<RawSocket> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(fixture.raw());
    clients.back().send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  CHECK(fixture.seen().path == "/a");
  released.set_value();
  for (auto& client : clients) CHECK(client.read_response().ends_with("GET /a "));
}

TEST_CASE("a few connections are spread evenly over the loops") {
  ServerFixture fixture([](const Request&) -> Task<Response> {
    Response response;
    response.body = std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id()));
    co_return response;
  });
  fixture.serve();
  std::map<std::string, int> by_thread;
  std::vector<RawSocket> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(fixture.raw());
    clients.back().send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answer = clients.back().read_response();
    ++by_thread[answer.substr(answer.rfind('\n'))];
  }
  REQUIRE(by_thread.size() == 2);
  CHECK(by_thread.begin()->second == 4);
}

TEST_CASE("connections beyond the limit are told so and closed, and others go on") {
  ServerFixture fixture(echo, {.connection_limit = 1});
  fixture.serve();
  auto first = fixture.raw();
  first.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(first.read_response().ends_with("GET /a "));
  auto second = fixture.raw();
  const auto refusal = second.read_until("}]}");
  CHECK(refusal.starts_with("HTTP/1.1 503 "));
  CHECK(second.read_all().empty());
  first.send("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(first.read_response().ends_with("GET /b "));
  CHECK(fixture.server->stats().connections == 1);
}

TEST_CASE("idle connections cost one descriptor each, a request two more, and without them it is told so and goes on") {
  ServerFixture fixture(echo, {.descriptors = 3});
  fixture.serve();
  const auto ask = [](RawSocket& client) {
    client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    return client.read_response();
  };
  auto first = fixture.raw();
  CHECK(ask(first).ends_with("GET /a "));
  {
    auto second = fixture.raw();
    const auto refusal = ask(second);
    CHECK(refusal.starts_with("HTTP/1.1 503 "));
    CHECK(refusal.contains("too many requests"));
    CHECK(ask(first).starts_with("HTTP/1.1 503 "));
  }
  std::string answer;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!answer.ends_with("GET /a ") && std::chrono::steady_clock::now() < until) answer = ask(first);
  CHECK(answer.ends_with("GET /a "));
}

TEST_CASE("a server listens on several addresses, a Unix socket among them") {
  const TemporaryFolder folder;
  const auto path = "unix:" + (folder / "s.sock").string();
  ServerFixture fixture(echo);
  REQUIRE(fixture.server->listen("127.0.0.1:0").has_value());
  REQUIRE(fixture.server->listen(path).has_value());
  fixture.server->start();
  CHECK(fixture.server->addresses().at(1) == path);
  std::vector<std::string> peers;
  for (const auto& address : fixture.server->addresses()) {
    auto client = RawSocket::connect(address);
    client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.read_response().ends_with("GET /a "));
    peers.push_back(fixture.seen(peers.size() + 1).peer);  // before the next, which another loop may be told of first
  }
  CHECK(peers.at(1) == "unix");
  fixture.server->drain(std::chrono::seconds(10));
  CHECK_FALSE(std::filesystem::exists(folder / "s.sock"));
}

}  // namespace
}  // namespace paddock
