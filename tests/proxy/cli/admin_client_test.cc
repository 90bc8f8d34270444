#include "proxy/cli/admin_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "tests/proxy/cli/admin_server.h"
#include "tests/proxy/cli/command_line.h"
#include "tests/proxy/net/raw_socket.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::AdminServer;
using test::ApiFixture;

Result<nlohmann::ordered_json> get(const std::string& server, const std::string& target = "/api/v1/status",
                                   const std::string& token_file = "") {
  const auto client = AdminClient::make({server, token_file});
  if (!client) return std::unexpected(client.error());
  return client->get(target);
}

std::string write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path.string();
}

TEST_CASE("the client gets JSON from a running server") {
  ApiFixture api;
  const AdminServer server(api);
  const auto status = get(server.url());
  REQUIRE(status);
  CHECK((*status)["version"] == "1.2.3");
  CHECK(get(server.url().substr(7)).has_value());  // without http://
}

TEST_CASE("where nothing listens the error says what to do") {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor bound(context);  // holds the port, but does not listen
  bound.open(boost::asio::ip::tcp::v4());
  bound.bind({boost::asio::ip::address_v4::loopback(), 0});
  const auto url = "http://127.0.0.1:" + std::to_string(bound.local_endpoint().port());
  const auto status = get(url);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK_THAT(status.error().context, Contains("cannot reach " + url) && Contains("is paddock running?") &&
                                         Contains("--server") && Contains("PADDOCK_SERVER"));
}

// The kernel accepts for a listener that never does.
TEST_CASE("a server that accepts and never answers is given up, with what to do") {
  const RawListener silent;
  const auto client = AdminClient::make({silent.url(), "", std::chrono::milliseconds(200)}).value();
  const auto status = client.get("/api/v1/status");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::timeout);
  CHECK_THAT(status.error().context, Contains(silent.url() + " does not answer") && Contains("--server"));
}

TEST_CASE("an answer that never gets whole is given up though bytes keep coming") {
  RawListener listener;
  std::thread trickle([&listener] {
    auto client = listener.accept();
    client.read_until("\r\n\r\n");
    client.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    while (client.send("x")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  const auto client = AdminClient::make({listener.url(), "", std::chrono::milliseconds(300)}).value();
  const auto status = client.get("/api/v1/status");
  trickle.join();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::timeout);
  CHECK_THAT(status.error().context, Contains("no whole answer within 300 ms"));
}

TEST_CASE("a token comes from its file, without the line's end") {
  ApiFixture api("s3cret");
  const AdminServer server(api);
  const TemporaryFolder folder;
  CHECK(get(server.url(), "/api/v1/status", write(folder / "token", "s3cret\n")).has_value());
  const auto wrong = get(server.url(), "/api/v1/status", write(folder / "wrong", "other"));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::unauthorized);
  CHECK_THAT(wrong.error().context, Contains("another token") && !Contains("other,"));
}

TEST_CASE("a token comes from the environment, and the file wins") {
  ApiFixture api("s3cret");
  const AdminServer server(api);
  const auto without = get(server.url());
  REQUIRE_FALSE(without);
  CHECK_THAT(without.error().context,
             Contains("wants a token") && Contains("--token-file") && Contains("PADDOCK_TOKEN"));
  const test::Variable token("PADDOCK_TOKEN", "s3cret");
  CHECK(get(server.url()).has_value());
  const TemporaryFolder folder;
  CHECK_FALSE(get(server.url(), "/api/v1/status", write(folder / "token", "other")).has_value());
}

TEST_CASE("bad token files and URLs are usage errors before anything is sent") {
  const TemporaryFolder folder;
  const std::string url = "http://127.0.0.1:1";
  for (const auto& file :
       {(folder / "absent").string(), write(folder / "empty", "\n"), write(folder / "lines", "a\r\nX-Evil: 1\n"),
        write(folder / "long", std::string(10'000, 'x')), folder.path().string()}) {
    INFO(file);
    CHECK(get(url, "/", file).error().code == ErrorCode::invalid_argument);
  }
  for (const auto* bad : {"", "unix:/run/paddock.sock", "ftp://host", "http://", "http://host:99999", "::"}) {
    INFO(bad);
    const auto refused = get(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK_THAT(refused.error().context, Contains("--server"));
  }
  const test::Variable token("PADDOCK_TOKEN", "a\r\nX-Evil: 1");
  CHECK(get(url).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("an error of the server is passed on") {
  ApiFixture api;
  api.error = Error{ErrorCode::not_found, Blame::client, "a:1 is not cached"};
  const AdminServer server(api);
  const auto image = get(server.url(), "/api/v1/images/a:1");
  REQUIRE_FALSE(image);
  CHECK(image.error().code == ErrorCode::not_found);
  CHECK_THAT(image.error().context, Contains("404") && Contains("a:1 is not cached"));
}

TEST_CASE("what is not an admin address is told apart") {
  for (const auto* body : {"<html>hello</html>", "", "[]", "7", "{\"half\":"}) {
    const AdminServer server(test::fixed_handler(200, body));
    const auto status = get(server.url());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::protocol);
    CHECK_THAT(status.error().context, Contains("not paddock's admin address"));
  }
}

TEST_CASE("an error answer of an unexpected shape is still an error") {
  for (const auto* body :
       {"{}", R"({"error": 5})", R"({"error": {"message": 5}})", R"({"error": {"message": null}})"}) {
    const AdminServer server(test::fixed_handler(500, body));
    const auto status = get(server.url());
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::protocol);
    CHECK_THAT(status.error().context, Contains("answered 500"));
  }
}

TEST_CASE("an answer that is nested without end is refused, not followed") {
  const std::string deep = "{\"images\": [" + std::string(100'000, '[') + std::string(100'000, ']') + "]}";
  const AdminServer server(test::fixed_handler(200, deep));
  CHECK(get(server.url()).error().code == ErrorCode::protocol);
  CHECK(test::paddock({"images", "--json", "--server", server.url()}).status == 1);
}

TEST_CASE("a reason that goes on and on is cut off") {
  const AdminServer server(
      test::fixed_handler(500, R"({"error": {"message": ")" + std::string(1'000'000, 'x') + "\"}}"));
  CHECK(get(server.url()).error().context.size() < 1000);
}

}  // namespace
}  // namespace paddock
