#include "proxy/net/tls.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/proxy/net/server_fixture.h"
#include "tests/support/tls_certificates.h"

namespace paddock {
namespace {

std::shared_ptr<const TlsServerContext> server_context(const CertificateFiles& files) {
  return make_tls_server(files.certificate, files.key).value();
}

TEST_CASE("a certificate for the address or the name is accepted") {
  TestCa ca;
  ServerFixture fixture(echo);
  fixture.serve(server_context(ca.issue_local()));
  const auto tls = make_tls_client(ca.file()).value();
  CHECK(fixture.ask({.url = fixture.url("/a", true), .tls = tls}).value().body == "GET /a ");
  CHECK(fixture.seen(1).tls);
  CHECK(fixture.seen(1).tls_name.empty());
  auto by_name = fixture.url("/b", true);
  by_name.host = "localhost";
  CHECK(fixture.ask({.url = by_name, .tls = tls}).value().body == "GET /b ");
  CHECK(fixture.seen(2).tls_name == "localhost");
}

TEST_CASE("a certificate that proves nothing is refused, and the request is not sent") {
  TestCa ca;
  TestCa stranger;
  CertificateFiles files;
  std::string reason;
  SECTION("another host's") {
    files = ca.issue({.names = {"other.example"}, .addresses = {"127.0.0.2"}});
    reason = "address mismatch";
  }
  SECTION("nobody's") {
    files = ca.issue({});
    reason = "address mismatch";
  }
  SECTION("one of an unknown CA") {
    files = stranger.issue_local();
    reason = "unable to get local issuer certificate";
  }
  SECTION("one that has expired") {
    files = ca.issue({.names = {"localhost"}, .addresses = {"127.0.0.1"}, .starts_in = -7200, .ends_in = -3600});
    reason = "certificate has expired";
  }
  SECTION("one that is not valid yet") {
    files = ca.issue({.names = {"localhost"}, .addresses = {"127.0.0.1"}, .starts_in = 3600, .ends_in = 7200});
    reason = "certificate is not yet valid";
  }
  std::atomic<int> handled{0};
  ServerFixture fixture([&handled](const Request&) -> Task<Response> {
    ++handled;
    co_return Response{};
  });
  fixture.serve(server_context(files));
  const auto answer = fixture.ask({.url = fixture.url("/", true), .tls = make_tls_client(ca.file()).value()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
  CHECK(answer.error().blame == Blame::upstream);
  CHECK_FALSE(answer.error().retryable);
  CHECK_THAT(answer.error().context, Catch::Contains("not trusted") && Catch::Contains(reason));
  CHECK(handled == 0);
}

TEST_CASE("a name in the certificate does not stand for another name") {
  TestCa ca;
  ServerFixture fixture(echo);
  fixture.serve(server_context(ca.issue({.names = {"other.example"}, .addresses = {"127.0.0.1"}})));
  auto url = fixture.url("/", true);
  url.host = "localhost";
  const auto answer = fixture.ask({.url = url, .tls = make_tls_client(ca.file()).value()});
  REQUIRE_FALSE(answer.has_value());
  CHECK_THAT(answer.error().context, Catch::Contains("ostname mismatch"));
}

TEST_CASE("a plain server is no TLS server") {
  TestCa ca;
  ServerFixture fixture(echo);
  fixture.serve();
  const auto answer = fixture.ask({.url = fixture.url("/", true), .tls = make_tls_client(ca.file()).value()});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::unavailable);
}

TEST_CASE("plain bytes to a TLS server are hung up on") {
  TestCa ca;
  ServerFixture fixture(echo);
  fixture.serve(server_context(ca.issue_local()));
  auto client = fixture.raw();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK_FALSE(client.read_all().contains("200 OK"));
  CHECK(fixture.ask({.url = fixture.url("/", true), .tls = make_tls_client(ca.file()).value()}).has_value());
}

TEST_CASE("a handshake that is never finished is given up") {
  TestCa ca;
  ServerFixture fixture(echo, {.header_timeout = std::chrono::seconds(1)});
  fixture.serve(server_context(ca.issue_local()));
  auto client = fixture.raw();
  client.send(std::string("\x16\x03\x01", 3));
  CHECK(client.read_all().empty());
}

TEST_CASE("https without a context is our mistake") {
  ServerFixture fixture(echo);
  fixture.serve();
  const auto answer = fixture.ask({.url = fixture.url("/", true)});
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("new connections use the certificate that was swapped in") {
  TestCa old_ca;
  TestCa new_ca;
  ServerFixture fixture(echo);
  fixture.serve(server_context(old_ca.issue_local()));
  const auto trusts_new = make_tls_client(new_ca.file()).value();
  CHECK_FALSE(fixture.ask({.url = fixture.url("/", true), .tls = trusts_new}).has_value());
  fixture.server->set_tls(server_context(new_ca.issue_local()));
  CHECK(fixture.ask({.url = fixture.url("/", true), .tls = trusts_new}).has_value());
}

TEST_CASE("files that hold no certificate or key are named with the reason, in words") {
  TestCa ca;
  const TemporaryFolder folder;
  const auto write = [&folder](const std::string& name, const std::string& content) {
    std::ofstream(folder / name) << content;
    return folder / name;
  };
  const auto junk = write("junk", "not a certificate");
  const auto broken = write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto broken_key = write("broken-key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  const auto secret =
      write("secret", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  const auto huge = write("huge", std::string(5U << 20U, ' '));
  const auto absent = folder / "absent";
  const auto good = ca.issue_local();
  const auto other = ca.issue_local();
  const auto check = [](const auto& made, const std::filesystem::path& named, const std::string& reason) {
    CAPTURE(named);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == ErrorCode::invalid_argument);
    CHECK_THAT(made.error().context, Catch::StartsWith(named.string() + ": ") && Catch::Contains(reason));
    CHECK_THAT(made.error().context, !Catch::Contains("error:") && !Catch::Contains("\n"));
  };
  check(make_tls_client(absent), absent, "No such file");
  check(make_tls_client(folder.path()), folder.path(), "is a folder");
  check(make_tls_client(junk), junk, "holds no PEM certificate");
  check(make_tls_client(broken), broken, "cannot be used");
  check(make_tls_client(huge), huge, "larger than any PEM file");
  check(make_tls_server(absent, good.key), absent, "No such file");
  check(make_tls_server(junk, good.key), junk, "holds no PEM certificate");
  check(make_tls_server(broken, good.key), broken, "no usable certificate");
  check(make_tls_server(good.certificate, absent), absent, "No such file");
  check(make_tls_server(good.certificate, junk), junk, "holds no PEM private key");
  check(make_tls_server(good.certificate, broken_key), broken_key, "no usable private key");
  check(make_tls_server(good.certificate, secret), secret, "is encrypted");
  check(make_tls_server(good.certificate, other.key), other.key,
        "does not belong to the certificate " + good.certificate.string());
}

TEST_CASE("the system's CAs alone will do") { CHECK(make_tls_client(std::nullopt).has_value()); }

}  // namespace
}  // namespace paddock
