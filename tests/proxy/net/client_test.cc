// The client against servers that say exactly what the test wants.
#include "proxy/net/client.h"

#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "proxy/net/tls.h"
#include "tests/proxy/net/raw_socket.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

// Serves on a thread of its own; what it does with its connections is the test's.
class Peer {
 public:
  explicit Peer(std::function<void(RawListener&)> serve)
      : thread_([this, serve = std::move(serve)] {
          try {
            serve(listener_);
          } catch (const std::exception&) {  // the other side gave up first: the test will have seen why
          }
        }) {}
  ~Peer() { thread_.join(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  [[nodiscard]] Url url(const std::string& target = "/") const { return Url::parse(listener_.url() + target).value(); }

 private:
  RawListener listener_;
  std::thread thread_;
};

// One connection, one request, this answer, then closed.
std::function<void(RawListener&)> saying(std::string answer) {
  return [answer = std::move(answer)](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send(answer);
    client.finish_sending();
    client.read_all();
  };
}

struct Answer {
  int status = 0;
  Headers headers;
  std::optional<std::uint64_t> content_length;
  std::string body;
};

Task<Result<Answer>> ask(HttpClient* client, ClientRequest request) {
  auto response = co_await client->send(std::move(request));
  if (!response) co_return std::unexpected(response.error());
  auto body = co_await read_all(**response, 1'000'000);
  if (!body) co_return std::unexpected(body.error());
  co_return Answer{(*response)->status(), (*response)->headers(), (*response)->content_length(), std::move(*body)};
}

Result<Answer> ask_once(ClientRequest request) {
  HttpClient client({.header_limit = 4096});
  return run_task(ask(&client, std::move(request)));
}

TEST_CASE("bodies come by length, in chunks, or until the connection closes") {
  struct Case {
    std::string answer;
    std::string body;
    std::optional<std::uint64_t> length;
  };
  const auto c = GENERATE(values<Case>({
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 5},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello", std::nullopt},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", "hello",
       std::nullopt},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", std::nullopt},
      {"HTTP/1.1 200 OK\r\n\r\nhello", "hello", std::nullopt},
      {"HTTP/1.0 200 OK\r\n\r\n", "", std::nullopt},
      {"HTTP/1.1 204 No Content\r\n\r\n", "", std::nullopt},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "", 99},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
       "2\r\n\r\nhi",
       "hi", 2},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", "gone", 4},
  }));
  CAPTURE(c.answer);
  const Peer peer(saying(c.answer));
  const auto answer = ask_once({.url = peer.url()});
  REQUIRE(answer.has_value());
  CHECK(answer->body == c.body);
  CHECK(answer->content_length == c.length);
  CHECK_FALSE(answer->headers.get("Link").has_value());
}

TEST_CASE("a HEAD has a length and no body") {
  const Peer peer(saying("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nETag: \"x\"\r\n\r\n"));
  const auto answer = ask_once({.method = Method::head, .url = peer.url()}).value();
  CHECK(answer.content_length == 5'000'000'000);
  CHECK(answer.body.empty());
  CHECK(answer.headers.get("etag") == "\"x\"");
}

TEST_CASE("answers that break the protocol or break off are errors") {
  struct Case {
    std::string answer;
    ErrorCode code;
  };
  const auto c = GENERATE(values<Case>({
      {"SSH-2.0-OpenSSH\r\n\r\n", ErrorCode::protocol},
      {"HTTP/2 200 OK\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 2000 OK\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nBroken\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", ErrorCode::protocol},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ErrorCode::protocol},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x') + "\r\n\r\n", ErrorCode::protocol},
      {"", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-Le", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ErrorCode::unavailable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n" + std::string(1'000'001, 'x'), ErrorCode::too_large},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(1'000'001, 'x'), ErrorCode::too_large},
  }));
  CAPTURE(c.answer.substr(0, 100));
  const Peer peer(saying(c.answer));
  const auto answer = ask_once({.url = peer.url()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == c.code);
  CHECK(answer.error().blame == Blame::upstream);
  CHECK(answer.error().retryable == (c.code == ErrorCode::unavailable));
}

TEST_CASE("endless interim answers are given up") {
  std::string many;
  for (int i = 0; i < 50; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
  const Peer peer(saying(many));
  CHECK(ask_once({.url = peer.url()}).error().code == ErrorCode::protocol);
}

TEST_CASE("a reset in the middle of a body is an error") {
  const Peer peer([](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\n\r\nhello");
    client.reset();
  });
  const auto answer = ask_once({.url = peer.url()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
}

TEST_CASE("nobody there is unavailable, and says where") {
  RawListener listener;
  const auto url = Url::parse(listener.url()).value();
  listener.close();
  const auto answer = ask_once({.url = url});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
  CHECK(answer.error().retryable);
  CHECK_THAT(answer.error().context, Catch::Contains(url.authority()) && Catch::Contains("refused"));
}

TEST_CASE("a name that does not exist is unavailable") {
  const auto answer = ask_once({.url = Url::parse("http://absent.invalid/").value()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
  CHECK_THAT(answer.error().context, Catch::Contains("absent.invalid"));
}

TEST_CASE("silence has a deadline, before the answer and in its body") {
  const std::string said =
      GENERATE("", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
               "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello");
  CAPTURE(said);
  const Peer peer([said](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send(said);
    client.read_all();  // until the client gives up
  });
  ClientRequest request{.url = peer.url()};
  request.deadlines.headers = request.deadlines.stall = std::chrono::milliseconds(100);
  const auto answer = ask_once(request);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::timeout);
  CHECK(answer.error().retryable);
}

struct Milestone {
  std::size_t at;  // bytes of the body
  std::promise<void> reached{};
};

// Reads a body to its end and says when it has come to each of the milestones.
Task<Result<std::string>> read_along(HttpClient* client, ClientRequest request, std::vector<Milestone>* milestones,
                                     std::size_t* reads = nullptr) {
  auto response = co_await client->send(std::move(request));
  if (!response) co_return std::unexpected(response.error());
  std::string body;
  std::vector<char> piece(512'000);
  for (;;) {
    const auto got = co_await (*response)->read(std::as_writable_bytes(std::span(piece)));
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return body;
    if (reads != nullptr) ++*reads;
    body.append(piece.data(), *got);
    for (auto& milestone : *milestones) {
      if (body.size() == milestone.at) milestone.reached.set_value();
    }
  }
}

TEST_CASE("the middle of a long body is waited for in big pieces, but not for long") {
  constexpr std::size_t size = 3'000'000;
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  std::vector<Milestone> milestones;
  for (const std::size_t at : {std::size_t{700'000}, std::size_t{700'010}, std::size_t{1'200'000}, size - 3}) {
    milestones.push_back({at});
  }
  std::vector<std::future<void>> reached;
  for (auto& milestone : milestones) reached.push_back(milestone.reached.get_future());
  const Peer peer([&](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    std::size_t sent = 0;
    // Says no more before the other side has all that was said so far.
    for (std::size_t i = 0; i < milestones.size(); ++i) {
      client.send(std::string_view(content).substr(sent, milestones[i].at - sent));
      sent = milestones[i].at;
      if (reached[i].wait_for(std::chrono::seconds(30)) != std::future_status::ready) return;
    }
    client.send(std::string_view(content).substr(sent));
    client.read_all();
  });
  HttpClient client({.header_limit = 4096});
  const auto body = run_task(read_along(&client, {.url = peer.url()}, &milestones));
  client.close_idle();
  REQUIRE(body.has_value());
  CHECK((*body == content));
}

TEST_CASE("a fast peer that says little at a time is not read for every little") {
  constexpr std::size_t size = 4'000'000, said_at_once = 16'000;
  const std::string content(size, 'x');
  const Peer peer([&](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    for (std::size_t at = 0; at < size; at += said_at_once)
      client.send(std::string_view(content).substr(at, said_at_once));
    client.read_all();
  });
  HttpClient client({.header_limit = 4096});
  std::vector<Milestone> none;
  std::size_t reads = 0;
  const auto body = run_task(read_along(&client, {.url = peer.url()}, &none, &reads));
  client.close_idle();
  REQUIRE(body.has_value());
  CHECK(body->size() == size);
  CHECK(reads < size / said_at_once / 2);
}

TEST_CASE("an answer whose header goes on and on in short lines is given up") {
  const Peer peer([](RawListener& listener) {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    // Reads of 4096 bytes end where lines do.
    bool taken = client.send("HTTP/1.1 200 " + std::string(64 - 15, 'x') + "\r\n");
    for (int i = 0; taken && i < 100'000; ++i) taken = client.send("X: " + std::string(64 - 5, 'x') + "\r\n");
  });
  const auto answer = ask_once({.url = peer.url()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::protocol);
}

TEST_CASE("a TLS handshake that is not answered has a deadline") {
  const Peer peer([](RawListener& listener) { listener.accept().read_all(); });
  ClientRequest request{.url = peer.url(), .tls = make_tls_client(std::nullopt).value()};
  request.url.tls = true;
  request.deadlines.connect = std::chrono::milliseconds(100);
  const auto answer = ask_once(request);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::timeout);
}

TEST_CASE("private addresses are refused when only public ones are allowed") {
  const RawListener listener;
  for (const std::string host : {"127.0.0.1", "localhost", "127.1", "[::1]", "10.0.0.1", "169.254.169.254"}) {
    CAPTURE(host);
    ClientRequest request{.url = Url::parse("http://" + host + ":" + std::to_string(listener.port())).value()};
    request.public_addresses_only = true;
    const auto answer = ask_once(request);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == ErrorCode::denied);
    // Through a proxy too, as far as the URL says it by itself.
    request.proxy = Url::parse(listener.url()).value();
    CHECK(ask_once(request).error().code == ErrorCode::denied);
  }
}

TEST_CASE("what is asked for is what was said") {
  std::string seen;
  {
    const Peer peer([&seen](RawListener& listener) {
      auto client = listener.accept();
      seen = client.read_until("\r\n\r\n");
      client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    ClientRequest request{.url = peer.url("/v2/a?b=%2F"), .headers = {{"Authorization", "Bearer t"}}};
    CHECK(ask_once(request).has_value());
  }
  CHECK(seen.starts_with("GET /v2/a?b=%2F HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(seen.contains("\r\nAuthorization: Bearer t\r\n"));
  CHECK(seen.contains("\r\nUser-Agent: paddock\r\n"));
}

}  // namespace
}  // namespace paddock
