#include "proxy/net/event_loops.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <set>

namespace paddock {
namespace {

std::thread::id thread_of(boost::asio::io_context& loop) {
  return boost::asio::post(loop, boost::asio::use_future([] { return std::this_thread::get_id(); })).get();
}

TEST_CASE("each loop has one thread of its own") {
  EventLoops loops(3);
  loops.run();
  std::set<std::thread::id> threads;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const auto thread = thread_of(loops.at(i));
    CHECK(thread == thread_of(loops.at(i)));
    threads.insert(thread);
  }
  CHECK(threads.size() == 3);
  CHECK_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("loops are given out in turn") {
  EventLoops loops(2);
  auto* const first = &loops.next();
  auto* const second = &loops.next();
  CHECK(first != second);
  CHECK(&loops.next() == first);
}

TEST_CASE("here is the loop that one is on, elsewhere the next one") {
  EventLoops loops(3);
  loops.run();
  for (std::size_t i = 0; i < loops.size(); ++i) {
    const auto here = boost::asio::post(loops.at(i), boost::asio::use_future([&] { return &loops.here(); })).get();
    CHECK(here == &loops.at(i));
  }
  CHECK(&loops.here() != &loops.here());
}

TEST_CASE("no number of threads means one for each core") { CHECK(EventLoops(0).size() >= 1); }

TEST_CASE("loops may be stopped twice, or never run") {
  EventLoops loops(1);
  loops.run();
  loops.stop();
  loops.stop();
  EventLoops never_run(1);
}

}  // namespace
}  // namespace paddock
