#include "proxy/upstream/token_cache.h"

#include <catch2/catch.hpp>

#include "tests/support/loop_thread.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

namespace paddock {
namespace {

const TokenKey key{"https://auth.example/token", "service", "repository:a/b:pull", ""};

struct Fixture {
  ManualClock clock;
  TokenCache cache{clock};
  int fetches = 0;
  std::optional<Error> failure{};
  std::chrono::seconds lifetime{400};

  // By value and without captures, as a coroutine needs it.
  static Task<Result<Token>> fetch(Fixture* self) {
    ++self->fetches;
    if (self->failure) co_return std::unexpected(*self->failure);
    co_return Token{"token-" + std::to_string(self->fetches), self->lifetime};
  }
  Result<std::string> get(const TokenKey& of = key, const std::string& refused = {}) {
    auto token = held(of, refused);
    if (!token) return std::unexpected(std::move(token).error());
    return token->value;
  }
  Result<HeldToken> held(const TokenKey& of = key, const std::string& refused = {}) {
    return run_task(cache.get(
        of, refused, [this] { return fetch(this); }, std::chrono::steady_clock::now() + std::chrono::seconds(30)));
  }
};

TEST_CASE_METHOD(Fixture, "a token is fetched once and given out until shortly before it expires") {
  CHECK(get() == "token-1");
  CHECK(get() == "token-1");
  clock.advance(std::chrono::seconds(369));
  CHECK(get() == "token-1");
  clock.advance(std::chrono::seconds(1));
  CHECK(get() == "token-2");
}

TEST_CASE_METHOD(Fixture, "a short-lived token is used for most of its life") {
  lifetime = std::chrono::seconds(4);
  CHECK(get() == "token-1");
  clock.advance(std::chrono::seconds(2));
  CHECK(get() == "token-1");
  clock.advance(std::chrono::seconds(1));
  CHECK(get() == "token-2");
}

TEST_CASE_METHOD(Fixture, "tokens are kept apart by realm, service, scope and user") {
  CHECK(get() == "token-1");
  CHECK(get({"https://other.example/token", "service", "repository:a/b:pull", ""}) == "token-2");
  CHECK(get({key.realm, "other", key.scope, ""}) == "token-3");
  CHECK(get({key.realm, key.service, "repository:c:pull", ""}) == "token-4");
  CHECK(get({key.realm, key.service, key.scope, "user"}) == "token-5");
  CHECK(get() == "token-1");
}

TEST_CASE_METHOD(Fixture, "a refused token is replaced, unless somebody has done so") {
  CHECK(get() == "token-1");
  CHECK(get(key, "token-1") == "token-2");
  CHECK(get(key, "token-1") == "token-2");
  CHECK(fetches == 2);
}

TEST_CASE_METHOD(Fixture, "a token knows when it was made, however often it is given out") {
  const auto made = clock.now();
  CHECK(held()->made == made);
  clock.advance(std::chrono::seconds(50));
  CHECK(held()->made == made);
  CHECK(held(key, "token-1")->made == clock.now());
}

TEST_CASE_METHOD(Fixture, "a refusal is remembered for a moment") {
  failure = Error{ErrorCode::denied, Blame::upstream, "no"};
  CHECK(get().error().code == ErrorCode::denied);
  failure.reset();
  CHECK(get().error().code == ErrorCode::denied);
  clock.advance(std::chrono::seconds(1));
  CHECK(get() == "token-2");
}

TEST_CASE_METHOD(Fixture, "a passing failure is not remembered") {
  for (const auto code : {ErrorCode::unavailable, ErrorCode::timeout}) {
    failure = Error{code, Blame::upstream, "away"};
    CHECK(get().error().code == code);
  }
  failure.reset();
  CHECK(get() == "token-3");
}

TEST_CASE("the cache of tokens is bounded") {
  ManualClock clock;
  TokenCache cache(clock, {.capacity = 10});
  const TokenCache::Fetch fetch = []() -> Task<Result<Token>> { co_return Token{"t", std::chrono::seconds(60)}; };
  for (int i = 0; i < 100; ++i) {
    CHECK(run_task(cache.get({"r", "s", std::to_string(i), ""}, {}, fetch, SteadyTime::max())));
    CHECK(cache.size() <= 10);
  }
}

struct Held {
  Notifier released;
  Mutex mutex;
  bool open PADDOCK_GUARDED_BY(mutex) = false;
  int fetches PADDOCK_GUARDED_BY(mutex) = 0;

  bool is_open() {
    const MutexLock lock(mutex);
    return open;
  }
  static Task<Result<Token>> fetch(Held* self, Result<Token> outcome) {
    const auto executor = co_await asio::this_coro::executor;
    {
      const MutexLock lock(self->mutex);
      ++self->fetches;
    }
    for (;;) {
      auto waiter = self->released.subscribe(executor);
      if (self->is_open()) co_return outcome;
      (void)co_await waiter.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(30));
    }
  }
  void release() {
    {
      const MutexLock lock(mutex);
      open = true;
    }
    released.notify_all();
  }
};

// Boost's futures want a default.
Task<std::string> outcome_of(TokenCache* cache, TokenCache::Fetch fetch, SteadyTime deadline) {
  auto token = co_await cache->get(key, {}, std::move(fetch), deadline);
  co_return token ? token->value : std::string(to_string(token.error().code));
}

TEST_CASE("who comes while a token is being made shares its outcome, over all loops") {
  for (const bool good : {true, false}) {
    ManualClock clock;
    TokenCache cache(clock);
    Held held;
    LoopThread one, two;
    const Result<Token> outcome = good ? Result<Token>(Token{"t", std::chrono::seconds(60)})
                                       : Result<Token>(fail(ErrorCode::unavailable, Blame::upstream, "away"));
    const TokenCache::Fetch fetch = [&] { return Held::fetch(&held, outcome); };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    std::vector<std::future<std::string>> waiting;
    for (int i = 0; i < 8; ++i) waiting.push_back((i % 2 ? one : two).spawn(outcome_of(&cache, fetch, deadline)));
    one.settle();
    two.settle();
    held.release();
    for (auto& each : waiting) CHECK(each.get() == (good ? "t" : "unavailable"));
    const MutexLock lock(held.mutex);
    CHECK(held.fetches == 1);
  }
}

TEST_CASE("who cannot wait any longer goes, and the token is still made for the others") {
  ManualClock clock;
  TokenCache cache(clock);
  Held held;
  LoopThread loop;
  const TokenCache::Fetch fetch = [&] { return Held::fetch(&held, Token{"t", std::chrono::seconds(60)}); };
  const auto now = std::chrono::steady_clock::now();
  CHECK(loop.spawn(outcome_of(&cache, fetch, now)).get() == "timeout");
  auto patient = loop.spawn(outcome_of(&cache, fetch, now + std::chrono::seconds(30)));
  loop.settle();
  held.release();
  CHECK(patient.get() == "t");
  const MutexLock lock(held.mutex);
  CHECK(held.fetches == 1);
}

}  // namespace
}  // namespace paddock
