#include "proxy/ingress/client_auth.h"

#include <catch2/catch.hpp>
#include <future>
#include <utility>
#include <vector>

#include "tests/support/loop_thread.h"

using namespace paddock;
using Verdict = ClientAuth::Verdict;

namespace {

// Of "secret"; a cost of 5.
const std::string hash = "$2b$05$ABCDEFGHIJKLMNOPQRSTUOHp/9dEMUfseM/bMxUBq.UXt1tM80DqW";
const std::string right = "Basic Y2k6c2VjcmV0", wrong = "Basic Y2k6U2VjcmV0", unknown = "Basic eHk6c2VjcmV0";

Htpasswd file() { return Htpasswd::parse("ci:" + hash).value(); }

struct AuthFixture {
  ~AuthFixture() {
    release();
    auth.stop();
    pool.join();
  }

  std::future<Verdict> begin(std::optional<std::string> header, std::string peer = "192.0.2.7:1000") {
    return loop.spawn(auth.check(std::move(header), std::move(peer)));
  }
  // Busy too where it takes longer than it should: a test must not hang.
  Verdict check(std::optional<std::string> header, std::string peer = "192.0.2.7:1000") {
    auto verdict = begin(std::move(header), std::move(peer));
    return verdict.wait_for(std::chrono::seconds(30)) == std::future_status::ready ? verdict.get() : Verdict::busy;
  }
  // Keeps the pool's one thread until release().
  void occupy() {
    holding = loop.spawn(hold());
    held.get_future().wait();
  }
  Task<void> hold() {
    (void)co_await pool.run([this]() -> Result<int> {
      held.set_value();
      released.get_future().wait();
      return 0;
    });
  }
  void release() {
    if (!std::exchange(free, true)) released.set_value();
  }

  std::promise<void> held, released;
  bool free = false;
  BlockingPool pool{1};
  ClientAuth auth{
      pool, {.remembered = 10, .waiting = 3, .waiting_of_peer = 2, .patience = std::chrono::milliseconds(20'000)}};
  LoopThread loop;
  std::future<void> holding;
};

}  // namespace

TEST_CASE_METHOD(AuthFixture, "without a file nobody is asked") {
  CHECK_FALSE(auth.asks());
  CHECK(check(std::nullopt) == Verdict::allowed);
  CHECK(check(wrong) == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "who must give a password passes with the right one only") {
  auth.require(file(), false);
  CHECK(auth.asks());
  CHECK(check(std::nullopt) == Verdict::missing);
  CHECK(check(right) == Verdict::allowed);
  CHECK(check(wrong) == Verdict::wrong);
  CHECK(check(unknown) == Verdict::wrong);
  CHECK(check("") == Verdict::wrong);
  CHECK(check("Bearer token") == Verdict::wrong);
  CHECK(check(right) == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "where anybody may pull a wrong password is still wrong, somebody else's token is not") {
  auth.require(file(), true);
  CHECK(check(std::nullopt) == Verdict::allowed);
  CHECK(check(right) == Verdict::allowed);
  CHECK(check(wrong) == Verdict::wrong);
  CHECK(check("Bearer token") == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "who has passed is known without another look, while the file says the same") {
  auth.require(file(), false);
  REQUIRE(check(right) == Verdict::allowed);
  REQUIRE(check(wrong) == Verdict::wrong);
  occupy();
  CHECK(check(right) == Verdict::allowed);  // the pool is not asked
  CHECK(check(wrong) == Verdict::wrong);
  auth.require(file(), true);
  CHECK(check(right) == Verdict::allowed);
  release();
  auth.require(Htpasswd::parse("other:" + hash).value(), false);
  CHECK(check(right) == Verdict::wrong);
  auth.require(std::nullopt, false);
  CHECK(check(std::nullopt) == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "a crowd that comes with one password is one check, however long the line may be") {
  auth.require(file(), false);
  occupy();
  std::vector<std::future<Verdict>> crowd;
  for (int i = 0; i < 50; ++i) crowd.push_back(begin(right));
  loop.settle();
  release();
  for (auto& one : crowd) CHECK(one.get() == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "guesses fill the line for their peer, then for all, and keep out nobody who is known") {
  auth.require(file(), false);
  REQUIRE(check(right) == Verdict::allowed);
  occupy();
  std::vector<std::future<Verdict>> guesses;
  guesses.push_back(begin(wrong));
  guesses.push_back(begin(unknown));
  loop.settle();
  CHECK(check("Basic YTpi") == Verdict::busy);
  CHECK(check("Basic YTpi", "192.0.2.7:2000") == Verdict::busy);
  guesses.push_back(begin("Basic YTpi", "[2001:db8::1]:1000"));
  loop.settle();
  CHECK(check("Basic YTpj", "192.0.2.9:1000") == Verdict::busy);
  CHECK(check(right) == Verdict::allowed);
  release();
  for (auto& guess : guesses) CHECK(guess.get() == Verdict::wrong);
  CHECK(check("Basic YTpj") == Verdict::wrong);
}

TEST_CASE_METHOD(AuthFixture, "once it stops nobody's password is computed, and who waits hears so") {
  auth.require(file(), false);
  REQUIRE(check(right) == Verdict::allowed);
  occupy();
  auto waiting = begin(wrong);
  loop.settle();
  auth.stop();
  release();
  CHECK(waiting.get() == Verdict::busy);
  CHECK(check(unknown) == Verdict::busy);
  CHECK(check(right) == Verdict::allowed);
}
