#include "proxy/ingress/client_auth.h"

#include <catch2/catch.hpp>
#include <future>
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
  ~AuthFixture() { pool.join(); }

  Verdict check(std::optional<std::string> header) { return loop.spawn(auth.check(std::move(header))).get(); }
  // Keeps the pool's one thread until release().
  void occupy() {
    loop.spawn(hold());
    held.get_future().wait();
  }
  Task<void> hold() {
    (void)co_await pool.run([this]() -> Result<int> {
      held.set_value();
      released.get_future().wait();
      return 0;
    });
  }

  std::promise<void> held, released;
  BlockingPool pool{1};
  ClientAuth auth{pool, {.remembered = 10, .waiting = 2}};
  LoopThread loop;
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

TEST_CASE_METHOD(AuthFixture, "who has passed is known without another look, until there is a new file") {
  auth.require(file(), false);
  REQUIRE(check(right) == Verdict::allowed);
  occupy();
  CHECK(check(right) == Verdict::allowed);  // the pool is not asked
  released.set_value();
  auth.require(Htpasswd::parse("other:" + hash).value(), false);
  CHECK(check(right) == Verdict::wrong);
  auth.require(std::nullopt, false);
  CHECK(check(std::nullopt) == Verdict::allowed);
}

TEST_CASE_METHOD(AuthFixture, "a crowd of guesses keeps the line full, and out nobody who is known") {
  auth.require(file(), false);
  REQUIRE(check(right) == Verdict::allowed);
  occupy();
  std::vector<std::future<Verdict>> guesses;
  guesses.push_back(loop.spawn(auth.check(wrong)));
  guesses.push_back(loop.spawn(auth.check(unknown)));
  loop.settle();
  CHECK(check(wrong) == Verdict::busy);
  CHECK(check(right) == Verdict::allowed);
  released.set_value();
  for (auto& guess : guesses) CHECK(guess.get() == Verdict::wrong);
  CHECK(check(wrong) == Verdict::wrong);
}
