#include "proxy/net/listener.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>

#include "tests/proxy/net/raw_socket.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

ErrorCode refusal(boost::asio::io_context& loop, const std::string& address) {
  const auto opened = Listener::open(loop, address);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().context.starts_with("cannot listen on " + address + ": "));
  return opened.error().code;
}

TEST_CASE("addresses that are none are refused") {
  boost::asio::io_context loop;
  const auto* const address =
      GENERATE("", "5000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:5000", "[::1]",
               "[127.0.0.1]:5000", "name.example:5000", ":5000", "unix:", "[::1:5000", "127.0.0.1:-1");
  CHECK(refusal(loop, address) == ErrorCode::invalid_argument);
}

TEST_CASE("an address of another machine is refused") {
  boost::asio::io_context loop;
  CHECK(refusal(loop, "192.0.2.1:0") == ErrorCode::invalid_argument);
  CHECK_THAT(Listener::open(loop, "192.0.2.1:0").error().context,
             Catch::Contains("has no such address; choose one of its own"));
}

TEST_CASE("port 0 picks a free one and says which") {
  boost::asio::io_context loop;
  const auto listener = Listener::open(loop, "127.0.0.1:0").value();
  CHECK(listener->address().starts_with("127.0.0.1:"));
  CHECK_FALSE(listener->address().ends_with(":0"));
  RawSocket::connect(listener->address());
}

// How many connections its loop takes that are there already.
int taken_by(boost::asio::io_context& loop, Listener& listener) {
  int taken = 0;
  std::function<void()> accept = [&] {
    listener.acceptor().async_accept([&](const boost::system::error_code& error, auto) {
      if (error) return;
      ++taken;
      accept();
    });
  };
  accept();
  loop.restart();
  loop.poll();
  listener.acceptor().cancel();
  loop.run();
  return taken;
}

TEST_CASE("listeners that share an address are dealt connections, each to one, until they are closed") {
  boost::asio::io_context first_loop, second_loop;
  const auto first = Listener::open(first_loop, "127.0.0.1:0").value();
  const auto second = first->share(second_loop).value();
  CHECK(second->address() == first->address());
  constexpr int connections = 60;
  for (int i = 0; i < connections; ++i) RawSocket::connect(first->address());
  const int by_first = taken_by(first_loop, *first);
  CHECK(by_first > 0);
  CHECK(by_first < connections);
  CHECK(by_first + taken_by(second_loop, *second) == connections);
  first->close();
  RawSocket::connect(second->address());
  CHECK(taken_by(second_loop, *second) == 1);
  second->close();
  CHECK_THROWS(RawSocket::connect(second->address()));
}

TEST_CASE("an address that is shared is nobody else's") {
  boost::asio::io_context loop, other_loop;
  const auto first = Listener::open(loop, "127.0.0.1:0").value();
  const auto second = first->share(other_loop).value();
  CHECK(refusal(loop, first->address()) == ErrorCode::conflict);
  first->close();
  CHECK(refusal(loop, second->address()) == ErrorCode::conflict);
}

TEST_CASE("a Unix socket has one listener") {
  const TemporaryFolder folder;
  boost::asio::io_context loop;
  CHECK(Listener::open(loop, "unix:" + (folder / "s").string()).value()->share(loop).value() == nullptr);
}

TEST_CASE("localhost is an address") {
  boost::asio::io_context loop;
  CHECK(Listener::open(loop, "localhost:0").value()->address().starts_with("127.0.0.1:"));
}

TEST_CASE("a listener on every IPv6 address takes IPv4 too") {
  boost::asio::io_context loop;
  const auto listener = Listener::open(loop, "[::]:0");
  if (!listener) {
    WARN("skipped, this machine has no IPv6: " << listener.error().context);
    return;
  }
  CHECK((*listener)->address().starts_with("[::]:"));
  RawSocket::connect((*listener)->address());
}

TEST_CASE("an address in use is a conflict that says what to do") {
  boost::asio::io_context loop;
  const auto first = Listener::open(loop, "127.0.0.1:0").value();
  const auto second = Listener::open(loop, first->address());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().context ==
        "cannot listen on " + first->address() + ": address already in use; stop what uses it, or choose another");
}

TEST_CASE("a Unix socket's file goes with its listener") {
  boost::asio::io_context loop;
  const TemporaryFolder folder;
  const auto path = folder / "s.sock";
  {
    const auto listener = Listener::open(loop, "unix:" + path.string()).value();
    CHECK(std::filesystem::is_socket(path));
    RawSocket::connect(listener->address());
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a Unix socket that somebody answers on is a conflict, a dead one is replaced") {
  boost::asio::io_context loop;
  const TemporaryFolder folder;
  const auto address = "unix:" + (folder / "s.sock").string();
  auto first = Listener::open(loop, address).value();
  CHECK(refusal(loop, address) == ErrorCode::conflict);
  std::filesystem::create_hard_link(folder / "s.sock", folder / "dead.sock");
  first.reset();
  CHECK(Listener::open(loop, "unix:" + (folder / "dead.sock").string()).has_value());
}

TEST_CASE("a file that is no socket is left alone") {
  boost::asio::io_context loop;
  const TemporaryFolder folder;
  std::ofstream(folder / "precious") << "data";
  CHECK(refusal(loop, "unix:" + (folder / "precious").string()) == ErrorCode::invalid_argument);
  CHECK(std::filesystem::file_size(folder / "precious") == 4);
}

TEST_CASE("a Unix socket's path has a limit and needs its folder") {
  boost::asio::io_context loop;
  const TemporaryFolder folder;
  CHECK(refusal(loop, "unix:/" + std::string(200, 'x')) == ErrorCode::invalid_argument);
  CHECK(refusal(loop, "unix:" + (folder / "absent" / "s").string()) == ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace paddock
