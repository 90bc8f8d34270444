// Fills over an HttpUpstream of two endpoints one of which sends wrong bytes.
#include <catch2/catch.hpp>

#include "proxy/net/client.h"
#include "proxy/upstream/http_upstream.h"
#include "tests/proxy/fill/fill_fixture.h"
#include "tests/support/scripted_registry.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t piece = 65'536;
constexpr std::uint64_t pieces = 16;
constexpr std::uint64_t apart = 3;  // the piece that comes from another endpoint than all others

// Each piece of the first attempt is had from one endpoint only; what is no piece from both.
struct Fixture : FillFixture {
  ~Fixture() { shut_down(); }

  const std::string content = pattern(piece * pieces);
  ScriptedRegistry good, liar;
  const Digest digest = good.add_blob("a/b", content);
  HttpClient client{HttpClient::Options{}};
  std::shared_ptr<HttpUpstream> both;
  FillCoordinator ranged{
      loops,
      pool,
      blobs,
      {.fetch = {.chunk = piece, .most_chunks = 1, .buffer = 4096, .retry = {.attempts = 2, .base = 1ms, .cap = 1ms}},
       .clock = &clock}};

  void use(bool liar_first, bool liar_brings_most) {
    std::string wrong = content;
    wrong[1000] ^= 1;
    wrong[apart * piece + 1000] ^= 1;
    liar.add_blob_as("a/b", digest, wrong);
    offer(good, !liar_brings_most);
    offer(liar, liar_brings_most);
    UpstreamOptions options{.name = "both.example"};
    for (const auto* registry : {&good, &liar}) options.endpoints.push_back(Url::parse(registry->url()).value());
    if (liar_first) std::ranges::reverse(options.endpoints);
    options.retry = {.attempts = 2, .base = 0ms, .cap = 0ms};
    both = std::make_shared<HttpUpstream>(std::move(options), client, clock);
  }
  void offer(ScriptedRegistry& registry, bool most) {
    registry.hook([this, most](const SeenRequest& request) -> std::optional<Behaviour> {
      const auto range = request.header("Range");
      if (range.empty()) return std::nullopt;
      const auto starts = [&](std::uint64_t at) {
        return range.starts_with("bytes=" + std::to_string(at * piece) + '-');
      };
      if (starts(apart) == most) return Behaviour{.drop = true};
      if (starts(pieces - 1)) clock.advance(11s);  // both may be asked again
      return std::nullopt;
    });
  }
  std::shared_ptr<Fill> fetch() { return ranged.fetch({both, "a/b", digest, {.connections = 1}}); }
  void wait_for_end() {
    while (!ranged.fills().empty()) std::this_thread::yield();
  }
  static std::size_t wholes(const ScriptedRegistry& registry) {
    const auto all = registry.requests("GET /v2/a/b/blobs/");
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const SeenRequest& request) { return request.header("Range").empty(); }));
  }
  EndpointStatus::State state_of(const ScriptedRegistry& registry) const {
    for (const auto& endpoint : both->endpoints()) {
      if (endpoint.host == registry.host()) return endpoint.state;
    }
    return EndpointStatus::State::slow;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "when the endpoint that brought most lies, the second attempt is from the other one") {
  use(GENERATE(true, false), true);
  (void)read(fetch());  // who reads the first attempt is cut off
  wait_for_end();
  CHECK(stored(digest));
  CHECK(ranged.stats().verify_failures == 1);
  CHECK(wholes(good) == 1);
  CHECK(wholes(liar) == 0);
  CHECK(state_of(good) != EndpointStatus::State::distrusted);
  CHECK(state_of(liar) != EndpointStatus::State::distrusted);  // nobody can be sure
}

TEST_CASE_METHOD(Fixture,
                 "when the second attempt is wrong too, the next one after the refusal is from the other one") {
  use(GENERATE(true, false), false);
  (void)read(fetch());
  wait_for_end();
  CHECK_FALSE(stored(digest));
  CHECK(ranged.stats().verify_failures == 2);
  CHECK(wholes(liar) == 1);
  CHECK(state_of(liar) == EndpointStatus::State::distrusted);
  CHECK(state_of(good) != EndpointStatus::State::distrusted);
  CHECK_FALSE(read(fetch()));  // refused for a minute
  wait_for_end();
  clock.advance(61s);
  good.hook({});
  const auto asked = liar.count("/blobs/");
  CHECK(read(fetch()).value() == content);
  wait_for_end();
  CHECK(liar.count("/blobs/") == asked);
  CHECK(stored(digest));
}
