// The server's TLS as clients see it, with OpenSSL and, where this machine's kernel has TLS (tests/ktls/run: one that
// has), by the kernel. Asking for the kernel where it has none must not make a difference.
#include "proxy/net/tls_stream.h"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <vector>

#include "proxy/net/kernel_tls.h"
#include "tests/proxy/net/server_fixture.h"
#include "tests/proxy/net/tls_peer.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

constexpr std::string_view get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view last_get = "GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

std::string long_text() {
  std::string text(3'000'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

Task<Response> long_answer(const Request&) {
  static const auto content = std::make_shared<const std::string>(long_text());
  Response response;
  response.body = BodyStream{.length = content->size(), .next = []() -> Task<Result<BodyPiece>> { co_return content; }};
  co_return response;
}

struct TlsServer {
  explicit TlsServer(Handler handler, bool by_kernel, Server::Options options = {})
      : kernel(by_kernel), fixture(std::move(handler), options) {
    const auto files = ca.issue_local();
    fixture.serve(make_tls_server(files.certificate, files.key, kernel).value());
  }
  TlsPeer peer(TlsPeer::Options options = {}) { return {fixture.address(), std::move(options)}; }
  [[nodiscard]] bool kernel_sends() const { return kernel && probe_kernel_tls() == KernelTls::used; }

  const bool kernel;
  TestCa ca;
  ServerFixture fixture;
};

struct Cipher {
  int version;
  const char* name;
  bool kernel_knows;
};

TEST_CASE("every version and cipher brings every byte, and it is counted who encrypted") {
  const auto cipher = GENERATE(values<Cipher>({{TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", true},
                                               {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", true},
                                               {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", true},
                                               {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true},
                                               {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", false}}));
  const bool kernel = GENERATE(false, true);
  CAPTURE(cipher.name, kernel);
  TlsServer server(long_answer, kernel);
  auto client = server.peer({.version = cipher.version, .cipher = cipher.name});
  REQUIRE(client.handshake());
  CHECK(client.cipher() == cipher.name);
  for (int round = 0; round < 2; ++round) {
    client.send(get);
    const bool whole = client.read_response().ends_with("\r\n\r\n" + long_text());
    CHECK(whole);
  }
  CHECK(server.fixture.seen(2).body_bytes == long_text().size());
  const auto stats = server.fixture.server->stats();
  CHECK(stats.tls_by_kernel == (server.kernel_sends() && cipher.kernel_knows ? 1 : 0));
  CHECK(stats.tls_by_kernel + stats.tls_by_openssl == 1);
}

TEST_CASE("a cipher that not every kernel knows works in any case") {
  TlsServer server(long_answer, GENERATE(false, true));
  auto client = server.peer({.cipher = "TLS_CHACHA20_POLY1305_SHA256"});
  REQUIRE(client.handshake());
  client.send(get);
  const bool whole = client.read_response().ends_with(long_text());
  CHECK(whole);
}

TEST_CASE("a client whose bytes trickle in is answered all the same") {
  TlsServer server(echo, GENERATE(false, true));
  auto client = server.peer({.version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION), .piece = 1});
  REQUIRE(client.handshake());
  client.send(get);
  CHECK(client.read_response().ends_with("GET /a "));
}

TEST_CASE("many requests in one flight of records are answered in their order") {
  TlsServer server(echo, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  std::string flight;
  for (int i = 0; i < 1000; ++i) flight += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(flight);
  for (int i = 0; i < 1000; ++i) REQUIRE(client.read_response().ends_with("GET /" + std::to_string(i) + " "));
}

TEST_CASE("a connection that is over ends with word of it, before the bytes end") {
  TlsServer server(echo, GENERATE(false, true));
  auto client = server.peer({.version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION)});
  REQUIRE(client.handshake());
  client.send(last_get);
  CHECK(client.read_all().ends_with("GET /b "));
  CHECK(client.ended_cleanly());
  CHECK(client.socket().read_all().empty());
  CHECK(client.socket().ended());
}

TEST_CASE("a client that says that nothing follows still gets its answer to the end") {
  TlsServer server(long_answer, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  client.send(get);
  client.say_goodbye();
  client.socket().finish_sending();
  const bool whole = client.read_all().ends_with(long_text());
  CHECK(whole);
  CHECK_FALSE(server.fixture.seen().aborted);
}

TEST_CASE("a client that goes without a word ends its connection only") {
  TlsServer server(echo, GENERATE(false, true));
  auto rude = server.peer();
  REQUIRE(rude.handshake());
  rude.socket().finish_sending();
  CHECK(rude.read_all().empty());
  auto other = server.peer();
  REQUIRE(other.handshake());
  other.send(get);
  CHECK(other.read_response().ends_with("GET /a "));
}

TEST_CASE("bytes that are no record of the connection end it") {
  TlsServer server(echo, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  client.send(get);
  client.read_response();
  client.socket().send(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  CHECK(client.read_all().empty());
  CHECK_FALSE(client.ended_cleanly());
}

TEST_CASE("a broken body never ends cleanly") {
  const auto handler = [](const Request&) -> Task<Response> {
    Response response;
    response.body = BodyStream{.length = 200'000, .next = [asked = std::make_shared<int>(0)] {
                                 struct Once {
                                   static Task<Result<BodyPiece>> next(std::shared_ptr<int> times) {
                                     if ((*times)++ == 0) {
                                       co_return std::make_shared<const std::string>(100'000, 'x');
                                     }
                                     co_return fail(ErrorCode::io, Blame::us, "no more");
                                   }
                                 };
                                 return Once::next(asked);
                               }};
    co_return response;
  };
  TlsServer server(handler, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  client.send(get);
  client.read_all();
  CHECK_FALSE(client.ended_cleanly());
  CHECK(server.fixture.seen().aborted);
}

TEST_CASE("a client may change its own keys in mid connection") {
  TlsServer server(long_answer, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  for (int round = 0; round < 3; ++round) {
    client.ask_for_key_update(SSL_KEY_UPDATE_NOT_REQUESTED);
    client.send(get);
    const bool whole = client.read_response().ends_with(long_text());
    CHECK(whole);
  }
}

TEST_CASE("a client that changes its keys over and over keeps nobody waiting") {
  constexpr int changes = 20'000;
  TlsServer server(echo, GENERATE(false, true));
  auto flooder = server.peer();
  REQUIRE(flooder.handshake());
  std::vector<TlsPeer> others;  // connections are spread evenly over two loops: one of these is on the flooder's
  for (int i = 0; i < 3; ++i) {
    others.push_back(server.peer());
    REQUIRE(others.back().handshake());
  }
  const auto flood = flooder.after_new_keys(changes, last_get);
  // The loops are held until everything is there, the flood first.
  std::promise<void> released;
  const auto until = released.get_future().share();
  for (std::size_t loop = 0; loop < 2; ++loop) asio::post(server.fixture.loops.at(loop), [until] { until.wait(); });
  flooder.socket().send(flood);
  for (auto& other : others) other.send(get);
  released.set_value();
  for (auto& other : others) CHECK(other.read_response().ends_with("GET /a "));
  CHECK(flooder.read_all().ends_with("GET /b "));
  CHECK(server.fixture.ends_its_loop(4, "/b"));
}

TEST_CASE("a client that asks for new keys of ours gets them, or another connection, never an answer in the old ones") {
  TlsServer server(long_answer, GENERATE(false, true));
  auto client = server.peer();
  REQUIRE(client.handshake());
  client.send(get);
  client.read_response();
  client.ask_for_key_update(SSL_KEY_UPDATE_REQUESTED);
  client.send(get);
  if (server.kernel_sends()) {
    CHECK(client.read_all().empty());
    CHECK_FALSE(client.ended_cleanly());
  } else {
    const bool whole = client.read_response().ends_with(long_text());
    CHECK(whole);
  }
}

TEST_CASE("renegotiation is refused") {
  TlsServer server(echo, GENERATE(false, true));
  auto client = server.peer({.version = TLS1_2_VERSION});
  REQUIRE(client.handshake());
  client.ask_for_renegotiation();
  client.send(last_get);
  client.read_all();
  auto other = server.peer({.version = TLS1_2_VERSION});
  REQUIRE(other.handshake());
}

TEST_CASE("a session is taken up again by its ticket") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsServer server(echo, GENERATE(false, true));
  auto first = server.peer({.version = version});
  REQUIRE(first.handshake());
  CHECK_FALSE(first.resumed());
  first.send(get);
  CHECK(first.read_response().ends_with("GET /a "));
  const auto session = first.session();
  auto second = server.peer({.version = version, .session = session.get()});
  REQUIRE(second.handshake());
  CHECK(second.resumed());
  second.send(get);
  CHECK(second.read_response().ends_with("GET /a "));
}

TEST_CASE("a client that stops reading in the middle of a record is cut off in time") {
  TlsServer server(
      [](const Request& request) -> Task<Response> {
        auto response = co_await long_answer(request);
        auto& stream = std::get<BodyStream>(response.body);
        stream.length *= 100;
        co_return response;
      },
      GENERATE(false, true), {.send_timeout = std::chrono::seconds(1)});
  auto client = server.peer({.receive_buffer = 4096});
  REQUIRE(client.handshake());
  client.send(get);
  const auto seen = server.fixture.seen();
  CHECK(seen.aborted);
  CHECK(seen.abort_reason == "the client stopped reading");
  client.read_all();
  CHECK_FALSE(client.ended_cleanly());
}

TEST_CASE("a server that is destroyed resets its TLS connections") {
  auto server = std::make_unique<TlsServer>(echo, GENERATE(false, true),
                                            Server::Options{.abort_timeout = std::chrono::minutes(1)});
  auto client = server->peer();
  REQUIRE(client.handshake());
  client.send(get);
  client.read_response();
  (void)server->fixture.seen();
  server->fixture.settle();
  server.reset();
  CHECK(client.read_all().empty());
  CHECK(client.socket().broken());
}

TEST_CASE("TLS over a Unix socket is OpenSSL's, whoever is asked") {
  const TemporaryFolder folder;
  TestCa ca;
  const auto files = ca.issue_local();
  ServerFixture fixture(echo);
  fixture.serve(make_tls_server(files.certificate, files.key, true).value(), "unix:" + (folder / "socket").string());
  TlsPeer client(fixture.address(), {});
  REQUIRE(client.handshake());
  client.send(get);
  CHECK(client.read_response().ends_with("GET /a "));
  CHECK(fixture.server->stats().tls_by_openssl == 1);
}

}  // namespace
}  // namespace paddock
