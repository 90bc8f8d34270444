// CONNECT at the server: ended here, tunnelled, refused.
#include <catch2/catch.hpp>

#include "proxy/net/connect_answer.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

constexpr auto opened = "HTTP/1.1 200 Connection established\r\n\r\n";

// CONNECT to `localhost` ends here, in a certificate of `ca`; "refused" is refused, "bug" throws, the rest is a tunnel.
class ConnectFixture {
 public:
  explicit ConnectFixture(Server::Options options = {}) : fixture(answer_host, with_connect(std::move(options))) {
    fixture.serve(nullptr, "127.0.0.1:0");
  }

  static Task<Response> answer_host(const Request& request) {
    Response response;
    response.body = request.connect_host + "|" + request.tls_name + "|" + request.path;
    co_return response;
  }
  Server::Options with_connect(Server::Options options) {
    const auto files = ca.issue({.names = {"localhost"}});
    std::string certificate = read_pem(files.certificate).value(), key = read_pem(files.key).value();
    tls = make_tls_server_for("localhost", {certificate, key}).value();
    options.connect = [this](const Request&, const Url& target) { return decide(target); };
    return options;
  }
  Task<ConnectAnswer> decide(Url target) {
    if (target.host == "localhost") co_return EndHere{tls};
    if (target.host == "bug") throw std::runtime_error("a bug");
    if (target.host == "refused") {
      Response response;
      response.status = 403;
      co_return response;
    }
    co_return OpenTunnel{.public_addresses_only = public_only};
  }
  RawSocket ask(const std::string& target) {
    auto socket = fixture.raw();
    socket.send("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
    return socket;
  }
  // As a client that is told of the proxy.
  Result<ServerFixture::Answer> get(const std::string& url) {
    ClientRequest request{.url = Url::parse(url).value()};
    request.proxy = Url::parse("http://" + fixture.address()).value();
    request.tls = trusting;
    return fixture.ask(std::move(request));
  }

  TestCa ca;
  std::shared_ptr<const TlsClientContext> trusting = make_tls_client(ca.file()).value();
  std::shared_ptr<const TlsServerContext> tls;
  bool public_only = false;
  ServerFixture fixture;
};

TEST_CASE("a CONNECT that ends here brings requests to the handler, which knows its host") {
  ConnectFixture connect;
  CHECK(connect.get("https://localhost:7443/a")->body == "localhost:7443|localhost|/a");
  CHECK(connect.get("https://localhost:7443/b")->body == "localhost:7443|localhost|/b");  // on the same connection
  CHECK(connect.fixture.seen(1).method == "CONNECT");
  CHECK(connect.fixture.seen(1).path == "localhost:7443");
  CHECK(connect.fixture.seen(1).status == 200);
  CHECK_FALSE(connect.fixture.seen(1).aborted);
  CHECK(connect.fixture.seen(3).path == "/b");
  CHECK(connect.fixture.seen(3).tls);
}

TEST_CASE("what goes wrong in the TLS of a CONNECT is said in the log") {
  ConnectFixture connect;
  std::string reason;
  SECTION("a client that does not trust the CA") {
    ClientRequest request{.url = Url::parse("https://localhost:7443/").value()};
    request.proxy = Url::parse("http://" + connect.fixture.address()).value();
    request.tls = make_tls_client(TestCa().file()).value();
    CHECK_FALSE(connect.fixture.ask(std::move(request)));
    reason = "the client does not trust our certificate";
  }
  SECTION("one that speaks no TLS") {
    auto socket = connect.ask("localhost:443");
    CHECK(socket.read_until("\r\n\r\n") == opened);
    socket.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    socket.read_all();
    reason = "the client speaks plain HTTP where TLS is due";
  }
  SECTION("one that hangs up") {
    auto socket = connect.ask("localhost:443");
    CHECK(socket.read_until("\r\n\r\n") == opened);
    socket.send("\x16\x03\x01");
    socket.finish_sending();
    socket.read_all();
    reason = "TLS handshake: ";
  }
  const auto seen = connect.fixture.seen(1);
  CHECK(seen.aborted);
  CHECK(seen.abort_reason.starts_with(reason));
}

TEST_CASE("half a TLS handshake is waited for no longer than a header") {
  ConnectFixture connect({.header_timeout = std::chrono::seconds(1)});
  auto socket = connect.ask("localhost:443");
  CHECK(socket.read_until("\r\n\r\n") == opened);
  socket.send("\x16\x03\x01");
  socket.read_all();
  CHECK(connect.fixture.seen(1).aborted);
}

TEST_CASE("a tunnel carries bytes both ways, and ends when both sides have ended") {
  ConnectFixture connect;
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  near.send("ping");
  CHECK(other.read_exactly(4) == "ping");
  const std::string much(1U << 20U, 'x');
  std::thread sender([&] { other.send(much); });
  CHECK(near.read_exactly(much.size()) == much);
  sender.join();
  near.finish_sending();
  CHECK(other.read_all().empty());  // the end comes through, and the other way is still open
  CHECK(other.send("bye"));
  other.finish_sending();
  CHECK(near.read_all() == "bye");
  const auto seen = connect.fixture.seen(1);
  CHECK_FALSE(seen.aborted);
  CHECK(seen.body_bytes == much.size() + 3);
}

TEST_CASE("a side that fails takes the tunnel with it") {
  ConnectFixture connect;
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  SECTION("the far one") {
    other.reset();
    near.read_all();
    CHECK(near.broken());
  }
  SECTION("the client") {
    near.reset();
    other.read_all();
    CHECK(other.broken());
  }
  CHECK(connect.fixture.seen(1).aborted);
}

TEST_CASE("a silent tunnel is given up") {
  ConnectFixture connect({.tunnel_silence = std::chrono::seconds(1)});
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  near.read_all();
  CHECK(connect.fixture.seen(1).abort_reason == "nobody said anything any more");
}

TEST_CASE("a server that stops waits for a silent tunnel no longer than for a last word") {
  ConnectFixture connect({.farewell = std::chrono::seconds(1)});
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  CHECK(connect.fixture.server->drain(std::chrono::seconds(30)));
  near.read_all();
}

TEST_CASE("a server that stops does not wait for a client that does not begin with its TLS") {
  ConnectFixture connect;
  auto socket = connect.ask("localhost:443");
  CHECK(socket.read_until("\r\n\r\n") == opened);
  CHECK(connect.fixture.server->drain(std::chrono::seconds(10)));
  socket.read_all();
}

TEST_CASE("no more than a share of all connections may be tunnels") {
  ConnectFixture connect({.connection_limit = 4});
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  auto second = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  CHECK(second.read_response().starts_with("HTTP/1.1 503 "));
}

TEST_CASE("a server that stops does not wait for tunnels beyond its patience") {
  ConnectFixture connect;
  RawListener far;
  auto near = connect.ask("127.0.0.1:" + std::to_string(far.port()));
  auto other = far.accept();
  CHECK(near.read_until("\r\n\r\n") == opened);
  CHECK_FALSE(connect.fixture.server->drain(std::chrono::milliseconds(50)));
  connect.fixture.server->abort();
  near.read_all();
  other.read_all();
}

TEST_CASE("what cannot be reached, or may not be, is said before anything is tunnelled") {
  ConnectFixture connect;
  std::string target = "refused:443";
  int status = 403;
  SECTION("refused") {}
  SECTION("a closed port") {
    RawListener closed;
    target = "127.0.0.1:" + std::to_string(closed.port());
    closed.close();
    status = 502;
  }
  SECTION("a private address where only public ones are meant") {
    connect.public_only = true;
    target = "127.0.0.1:443";
  }
  SECTION("a bug") {
    target = "bug:443";
    status = 500;
  }
  auto socket = connect.ask(target);
  const auto answer = socket.read_response();
  CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
  CHECK(connect.fixture.seen(1).status == status);
}

TEST_CASE("CONNECT to nonsense is refused") {
  ConnectFixture connect;
  const std::string target = GENERATE("localhost", "localhost:", "localhost:0", "localhost:99999", "localhost:443/x",
                                      "a@localhost:443", "https://localhost:443", ":443", "/", "*", "[::1", "a:1:2");
  CAPTURE(target);
  auto socket = connect.ask(target);
  CHECK(socket.read_response().starts_with("HTTP/1.1 400 "));
}

TEST_CASE("bytes that come before the tunnel is open are not lost in silence") {
  ConnectFixture connect;
  auto socket = connect.fixture.raw();
  socket.send("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n\x16\x03\x01");
  CHECK(socket.read_response().starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a server without a handler for it offers no CONNECT") {
  ServerFixture fixture(echo);
  fixture.serve();
  auto socket = fixture.raw();
  socket.send("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n");
  CHECK(socket.read_response().starts_with("HTTP/1.1 405 "));
}

}  // namespace
}  // namespace paddock
