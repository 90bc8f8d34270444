#include "proxy/upstream/token_bucket.h"

#include <catch2/catch.hpp>

using namespace paddock;
using namespace std::chrono_literals;

namespace {

const SteadyTime start = SteadyTime{} + 1h;

// The time that `bytes`, read in pieces of `piece`, take.
std::chrono::duration<double> time_for(TokenBucket& bucket, std::uint64_t bytes, std::uint64_t piece, SteadyTime now) {
  const auto began = now;
  for (std::uint64_t done = 0; done < bytes; done += piece) now += bucket.take(piece, now);
  return now - began;
}

}  // namespace

TEST_CASE("without a limit nobody waits") {
  TokenBucket bucket(0);
  CHECK(bucket.take(std::uint64_t{1} << 40U, start) == 0ns);
}

TEST_CASE("over time the rate is kept, whatever the pieces") {
  const std::uint64_t piece = GENERATE(1'000ULL, 64'000ULL, 1'000'000ULL);
  TokenBucket bucket(1'000'000);
  CHECK(time_for(bucket, 100'000'000, piece, start).count() == Approx(100).margin(0.3));
}

TEST_CASE("a piece larger than the bucket is a debt that is paid") {
  TokenBucket bucket(1'000, 100ms);
  CHECK(bucket.take(10'100, start) == 10s);
  CHECK(bucket.take(1, start + 10s) == 1ms);
}

TEST_CASE("only a burst is saved up") {
  TokenBucket bucket(1'000, 500ms);
  CHECK(bucket.take(500, start) == 0ns);
  CHECK(bucket.take(500, start + 1h) == 0ns);
  CHECK(bucket.take(500, start + 1h) == 500ms);
}

TEST_CASE("several readers share the rate") {
  TokenBucket bucket(1'000, 1ms);
  CHECK(bucket.take(1'001, start) == 1s);
  CHECK(bucket.take(1'000, start) == 2s);
}

TEST_CASE("a new rate holds from now on, and an old debt does not outlast it") {
  TokenBucket bucket(1'000'000, 100ms);
  CHECK(bucket.take(10'100'000, start) == 10s);
  bucket.set_rate(1'000, start);
  CHECK(bucket.rate() == 1'000);
  CHECK(bucket.take(100, start) == 200ms);
  bucket.set_rate(0, start);
  CHECK(bucket.take(1'000'000, start) == 0ns);
}

TEST_CASE("a clock that stands still or jumps back gives nothing") {
  TokenBucket bucket(1'000, 1ms);
  CHECK(bucket.take(1'001, start) == 1s);
  CHECK(bucket.take(0, start - 1h) == 1s);
}

TEST_CASE("what is read at a time follows the rate, so that nobody waits long for others") {
  TokenBucket bucket(1'000'000);
  CHECK(bucket.portion() == 20'000);
  bucket.set_rate(1'000, start);
  CHECK(bucket.portion() == 4'096);
  bucket.set_rate(0, start);
  CHECK(bucket.portion() == SIZE_MAX);
}

TEST_CASE("who waits and asks again hears of a new rate") {
  TokenBucket bucket(1'000, 1ms);
  CHECK(bucket.take(60'001, start) == 60s);
  CHECK(bucket.take(0, start + 20s) == 40s);
  bucket.set_rate(0, start + 20s);
  CHECK(bucket.take(0, start + 20s) == 0ns);
}
