#include "proxy/net/watchdog.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <catch2/catch.hpp>

namespace paddock {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a deadline that passes calls back once") {
  boost::asio::io_context loop;
  int called = 0;
  Watchdog watchdog(loop.get_executor(), [&] { ++called; });
  watchdog.expires_after(milliseconds(1));
  loop.run();
  CHECK(called == 1);
  watchdog.expires_after(milliseconds(1));
  loop.restart();
  loop.run();
  CHECK(called == 2);
}

TEST_CASE("a deadline moved forward holds from where it was moved") {
  boost::asio::io_context loop;
  int called = 0;
  Watchdog watchdog(loop.get_executor(), [&] { ++called; });
  watchdog.expires_after(std::chrono::hours(1));
  watchdog.expires_after(milliseconds(1));
  loop.run();
  CHECK(called == 1);
}

TEST_CASE("a deadline that was renewed does not call back early") {
  boost::asio::io_context loop;
  const auto start = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point when;
  Watchdog watchdog(loop.get_executor(), [&] { when = std::chrono::steady_clock::now(); });
  watchdog.expires_at(start + milliseconds(1));
  watchdog.expires_at(start + milliseconds(50));
  loop.run();
  CHECK(when >= start + milliseconds(50));
}

TEST_CASE("a watchdog that was disarmed, stopped or destroyed is silent") {
  boost::asio::io_context loop;
  int called = 0;
  auto watchdog = std::make_unique<Watchdog>(loop.get_executor(), [&] { ++called; });
  SECTION("disarmed") {
    watchdog->expires_after(milliseconds(1));
    watchdog->disarm();
  }
  SECTION("stopped") {
    watchdog->expires_after(std::chrono::hours(1));  // and the loop has no work left
    watchdog->stop();
  }
  SECTION("destroyed") {
    watchdog->expires_after(std::chrono::hours(1));
    watchdog.reset();
  }
  loop.run();
  CHECK(called == 0);
}

TEST_CASE("a stopped watchdog can be set again") {
  boost::asio::io_context loop;
  int called = 0;
  Watchdog watchdog(loop.get_executor(), [&] { ++called; });
  watchdog.expires_after(milliseconds(1));
  watchdog.stop();
  watchdog.expires_after(milliseconds(1));
  loop.run();
  CHECK(called == 1);
}

}  // namespace
}  // namespace paddock
