#include "proxy/host/prepull/prepull.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <spdlog/fmt/fmt.h>

#include "tests/proxy/host/prepull/prepull_fixture.h"

namespace paddock {
namespace {

using Catch::Matchers::Contains;
using test::original;

const test::SampleImage image;
const std::string name = "registry.baidubce.com/a/b:1";

class FakeEngine final : public Engine {
 public:
  std::optional<EngineImage> held{}, after{};
  std::optional<Error> pull_fails{};
  std::vector<std::string> did{};
  std::string asked_for = "nothing";
  bool without_digests = false;

  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] std::string describe() const override { return "fake 1"; }
  [[nodiscard]] Result<ImageReference> kept_as(const ImageReference& asked) const override {
    auto kept = asked;
    if (without_digests) kept.digest.reset();
    if (!kept.tag && !kept.digest) return fail(ErrorCode::unsupported, Blame::client, "no name for it");
    return kept;
  }
  Result<std::optional<EngineImage>> find(const ImageReference& /*image*/, const std::string& platform) override {
    asked_for = platform;
    return held;
  }
  Result<void> pull(const PullOrder& order, PullWatch& watch) override {
    did.push_back("pull " + order.image.to_string());
    watch.note("noted");
    if (pull_fails) return std::unexpected(*pull_fails);
    held = after;
    return {};
  }
  void tidy(const PullOrder& order, PullWatch& /*watch*/) override { did.push_back("tidy " + order.image.to_string()); }
};

struct Node {
  FakeEngine engine;
  std::vector<Result<CacheImage>> answers{image.at_cache()};
  std::size_t asked = 0;
  PrepullRun run{.ask_cache = [this](const auto&) { return answers[std::min(asked++, answers.size() - 1)]; }};

  PrepullOutcome prepull(const std::string& reference = name) {
    return paddock::prepull(engine, original(reference), run);
  }
};

TEST_CASE("what is not there is pulled, and looked at") {
  Node node;
  node.engine.after = EngineImage{{image.configuration}};
  const auto outcome = node.prepull();
  CHECK(outcome.state == PrepullState::pulled);
  CHECK(outcome.digest == image.index);
  CHECK(outcome.notes == std::vector<std::string>{"noted"});
  CHECK(node.engine.did == std::vector<std::string>{"pull " + name});
}

TEST_CASE("what is there is not pulled, by whichever digest it is known") {
  for (const auto& digest : {image.index, image.manifest, image.configuration}) {
    Node node;
    node.engine.held = EngineImage{{digest}, this_platform()};
    const auto outcome = node.prepull();
    CHECK(outcome.state == PrepullState::present);
    CHECK(outcome.digest == image.index);
    CHECK(node.engine.did == std::vector<std::string>{"tidy " + name});
  }
}

TEST_CASE("of an index, what is there for another platform is not the one") {
  for (const auto* platform : {"linux/s390x", ""}) {
    Node node;
    node.engine.held = EngineImage{{image.index}, platform};
    node.engine.after = EngineImage{{image.index, image.manifest}, platform};
    CHECK(node.prepull().state == PrepullState::pulled);
    node.engine.held = EngineImage{{image.index}, platform};
    CHECK(node.prepull("registry.baidubce.com/a/b@" + image.index.to_string()).state == PrepullState::pulled);
    node.engine.held = node.engine.after = EngineImage{{image.index}, platform};
    node.run.taken.clear();
    CHECK(node.prepull().error.value().code == ErrorCode::digest_mismatch);
  }
}

TEST_CASE("a platform that is asked for is what the engine is asked for") {
  Node node;
  node.run.platform = "linux/s390x";
  node.engine.held = EngineImage{{image.index}, "linux/s390x"};
  CHECK(node.prepull("registry.baidubce.com/a/b@" + image.index.to_string()).state == PrepullState::present);
  CHECK(node.engine.asked_for == "linux/s390x");
  CHECK(node.asked == 0);
}

TEST_CASE("two images for which the engine has one name cannot both be had") {
  const auto pinned = name + "@" + image.index.to_string();
  Node node;
  node.engine.without_digests = true;
  node.engine.after = EngineImage{{image.configuration}};
  CHECK(node.prepull().state == PrepullState::pulled);
  CHECK(node.prepull(pinned).state == PrepullState::present);  // the same
  const auto other = Digest::of("other");
  node.answers = {CacheImage{other, other, other}};
  const auto refused = node.prepull(name + "@" + other.to_string());
  CHECK(refused.error.value().code == ErrorCode::conflict);
  CHECK_THAT(refused.error->context, Contains("would keep it as " + name));
  CHECK(std::ranges::count(node.engine.did, "pull " + name) == 1);
}

TEST_CASE("another image of that name is pulled over") {
  Node node;
  node.engine.held = EngineImage{{Digest::of("what the tag was")}};
  node.engine.after = EngineImage{{image.manifest}};
  CHECK(node.prepull().state == PrepullState::pulled);
}

TEST_CASE("an engine that has something else afterwards, or nothing, has failed") {
  Node node;
  node.engine.after = EngineImage{{Digest::of("something else")}};
  auto outcome = node.prepull();
  CHECK_FALSE(outcome.ready());
  CHECK(outcome.error.value().code == ErrorCode::digest_mismatch);
  CHECK_THAT(outcome.error->context, Contains(image.index.to_string()));
  node.engine.held = node.engine.after = std::nullopt;
  outcome = node.prepull();
  CHECK_FALSE(outcome.ready());
  CHECK_THAT(outcome.error.value().context, Contains("does not have it"));
}

TEST_CASE("a tag that moves while it is pulled is what it has moved to") {
  Node node;
  const auto moved = Digest::of("moved");
  node.answers.push_back(CacheImage{moved, moved, moved});
  node.engine.after = EngineImage{{moved}};
  const auto outcome = node.prepull();
  CHECK(outcome.state == PrepullState::pulled);
  CHECK(outcome.digest == moved);
}

TEST_CASE("without the cache nothing is known of a tag") {
  Node node;
  node.answers = {fail(ErrorCode::unavailable, Blame::upstream, "the cache is away")};
  CHECK(node.prepull().error.value().context == "the cache is away");
  node.engine.held = EngineImage{{image.configuration}};
  const auto outcome = node.prepull();
  CHECK_FALSE(outcome.ready());
  CHECK_THAT(outcome.error.value().context, Contains("the cache is away") && Contains("only the cache can say"));
  CHECK(node.engine.did.empty());
}

TEST_CASE("what is there by the digest asked for needs no cache") {
  Node node;
  node.engine.held = EngineImage{{image.index}, this_platform()};
  CHECK(node.prepull("registry.baidubce.com/a/b@" + image.index.to_string()).state == PrepullState::present);
  CHECK(node.asked == 0);
}

TEST_CASE("an engine without names by digest keeps the tag, and says so") {
  Node node;
  node.engine.without_digests = true;
  node.engine.after = EngineImage{{image.configuration}};
  const auto outcome = node.prepull(name + "@" + image.index.to_string());
  CHECK(outcome.state == PrepullState::pulled);
  CHECK_THAT(outcome.notes.back(), Contains("it is kept as " + name));
  CHECK_FALSE(node.prepull("registry.baidubce.com/a/b@" + image.index.to_string()).ready());
}

TEST_CASE("a pull that fails is the outcome, with what was noted") {
  Node node;
  node.engine.pull_fails = Error{ErrorCode::timeout, Blame::upstream, "it got no further"};
  const auto outcome = node.prepull();
  CHECK(outcome.state == PrepullState::failed);
  CHECK(outcome.error.value().code == ErrorCode::timeout);
  CHECK(outcome.notes == std::vector<std::string>{"noted"});
}

}  // namespace
}  // namespace paddock
