#include "proxy/warm/rules.h"

#include <fstream>

#include "proxy/upstream/private_key.h"
#include "tests/proxy/warm/warm_fixture.h"
#include "tests/support/temporary_folder.h"

using namespace paddock;
using namespace paddock::test;

namespace {

using Names = std::vector<std::string>;

struct RulesFixture : WarmFixture {
  RulesFixture() {
    const auto image = add_image({"x"});
    for (const auto* tag : {"2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6", "2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4", "2.6.2",
                            "2.5.1-gpu-cuda11.7-cudnn8.4-trt8.4", "2.4.0-gpu-cuda11.7-cudnn8.4-trt8.4", "latest"}) {
      upstream->set_tag(name, tag, image);
    }
  }

  static WarmRule rule(const Names& images, std::string_view where = "", std::size_t latest = 0) {
    WarmRule rule{.selection = {.rule = "r", .images = {}, .where = TagFilter::parse(where).value(), .latest = latest},
                  .platforms = {"linux/arm64"},
                  .pin = std::chrono::hours(1)};
    for (const auto& image : images) {
      rule.selection.images.push_back(ImagePattern::parse(image, "up.example").value());
    }
    return rule;
  }
  Rules& with(WarmRule one) {
    return *made.emplace_back(
        std::make_unique<Rules>(Rules::Parts{pool, catalog, lists, upstreams, pulls}, RuleSet{{"r", std::move(one)}}));
  }
  Result<Names> expand(Rules& rules, const std::string& of = "r") { return start(rules.expand(of)).get(); }

  std::vector<std::unique_ptr<Rules>> made;
};

}  // namespace

TEST_CASE_METHOD(RulesFixture, "a rule means the tags there are, narrowed by what they say and how new they are") {
  auto& rules = with(rule({"paddlepaddle/paddle"}, "device == gpu and cuda < 12", 2));
  CHECK(expand(rules).value() == Names{"up.example/paddlepaddle/paddle:2.6.2-gpu-cuda11.7-cudnn8.4-trt8.4",
                                       "up.example/paddlepaddle/paddle:2.5.1-gpu-cuda11.7-cudnn8.4-trt8.4"});
}

TEST_CASE_METHOD(RulesFixture, "a fixed image needs no list of tags") {
  auto& rules = with(rule({"paddlepaddle/paddle:2.6.2"}));
  CHECK(expand(rules).value() == Names{"up.example/paddlepaddle/paddle:2.6.2"});
  CHECK(upstream->count("list_tags") == 0);
}

TEST_CASE_METHOD(RulesFixture, "patterns over repositories mean those that are known here") {
  auto& rules = with(rule({"paddlepaddle/*:latest"}));
  CHECK(expand(rules).value().empty());
  catalog.put_manifest({"up.example", name}, Digest::of("m"), {image_type, "m", {}}).value();
  catalog.put_manifest({"up.example", "other/thing"}, Digest::of("m"), {image_type, "m", {}}).value();
  // What a client's own credentials got is not the cache's to fetch.
  catalog.put_manifest(private_key({"up.example", "paddlepaddle/secret"}), Digest::of("m"), {image_type, "m", {}})
      .value();
  CHECK(expand(rules).value() == Names{"up.example/paddlepaddle/paddle:latest"});
}

TEST_CASE_METHOD(RulesFixture, "a rule that means too much is refused with the number") {
  auto many = rule({"paddlepaddle/paddle"});
  many.selection.max_images = 5;
  const auto refused = expand(with(many));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::too_large);
  CHECK(refused.error().context.contains("6"));
}

TEST_CASE_METHOD(RulesFixture, "an upstream whose tags cannot be listed is an error that may pass") {
  upstream->fail_calls("list_tags", broken_connection);
  auto& rules = with(rule({"paddlepaddle/paddle"}));
  CHECK(expand(rules).error().retryable);
  CHECK(expand(rules));
}

TEST_CASE_METHOD(RulesFixture, "the images of CI files belong to it, as far as they are this cache's") {
  const TemporaryFolder folder;
  std::ofstream(folder / ".gitlab-ci.yml")
      << "train:\n  image: up.example/paddlepaddle/paddle:2.6.2\n  script: [make]\n"
         "lint:\n  image: ghcr.io/other/lint:1\n  script: [make]\n";
  auto one = rule({"paddlepaddle/paddle:latest"});
  one.from_ci = {folder.path()};
  CHECK(expand(with(one)).value() ==
        Names{"up.example/paddlepaddle/paddle:latest", "up.example/paddlepaddle/paddle:2.6.2"});
}

TEST_CASE_METHOD(RulesFixture, "a rule that is not there is answered with those that are") {
  auto& rules = with(rule({"paddlepaddle/paddle:latest"}));
  CHECK(expand(rules, "x").error().context.contains("there are r"));
  WarmRequest request{.platforms = {}, .rule = "x"};
  CHECK(rules.fill_in(request).error().code == ErrorCode::not_found);
}

TEST_CASE_METHOD(RulesFixture, "a request takes from its rule what it does not say itself") {
  auto& rules = with(rule({"paddlepaddle/paddle:latest"}));
  WarmRequest plain{.platforms = {}, .rule = "r"};
  REQUIRE(rules.fill_in(plain));
  CHECK(plain.platforms == Names{"linux/arm64"});
  CHECK(plain.pin == std::chrono::hours(1));
  WarmRequest own{.platforms = {"linux/amd64"}, .pin = std::chrono::hours(2), .rule = "r"};
  REQUIRE(rules.fill_in(own));
  CHECK(own.platforms == Names{"linux/amd64"});
  CHECK(own.pin == std::chrono::hours(2));
  WarmRequest part{.images = {"a"}, .platforms = {}, .rule = "r"};
  REQUIRE(rules.fill_in(part));
  CHECK(part.images == Names{"a"});
  CHECK(part.pin == std::chrono::hours(1));
  WarmRequest without{.images = {"a"}, .platforms = {}};
  REQUIRE(rules.fill_in(without));
  CHECK(without == WarmRequest{.images = {"a"}, .platforms = {}});
}

TEST_CASE_METHOD(RulesFixture, "of a rule that reads CI files only our images are wanted") {
  auto of_ci = rule({"paddlepaddle/paddle:latest"});
  WarmRequest request{.platforms = {}, .rule = "r"};
  REQUIRE(with(of_ci).fill_in(request));
  CHECK_FALSE(request.ours_only);
  of_ci.from_ci = {"/srv/ci"};
  REQUIRE(with(of_ci).fill_in(request));
  CHECK(request.ours_only);
}

TEST_CASE_METHOD(RulesFixture, "only a rule that follows versions displaces its pins, and only when all of it is run") {
  const auto displaces = [&](WarmRule one, Names images = {}) {
    WarmRequest request{.images = std::move(images), .platforms = {}, .rule = "r"};
    REQUIRE(with(std::move(one)).fill_in(request));
    return request.displaces;
  };
  CHECK_FALSE(displaces(rule({"paddlepaddle/paddle"})));
  auto latest = rule({"paddlepaddle/paddle"}, "", 1);
  CHECK(displaces(latest));
  CHECK_FALSE(displaces(latest, {"a"}));
  latest.from_ci = {"/srv/ci"};
  CHECK_FALSE(displaces(latest));
}

TEST_CASE_METHOD(RulesFixture, "a new set takes the place of the old one") {
  auto& rules = with(rule({"paddlepaddle/paddle:latest"}));
  const auto before = rules.get();
  rules.replace({});
  CHECK(rules.get()->empty());
  CHECK(before->size() == 1);
}

TEST_CASE_METHOD(RulesFixture, "a rule that learns means what clients pulled of what it is narrowed to") {
  auto learning = rule({"paddlepaddle/paddle"}, "device == gpu");
  learning.learning = Learning{.within = std::chrono::days(14)};
  auto& rules = with(learning);
  pulls.record({"up.example", name}, "2.6.2");
  pulls.record({"up.example", name}, "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6");
  pulls.record({"up.example", "other/thing"}, "2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6");
  CHECK(expand(rules).value() == Names{"up.example/paddlepaddle/paddle:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6"});
  CHECK(upstream->count("list_tags") == 0);
  clock.advance(std::chrono::days(15));
  CHECK(expand(rules).value().empty());
}

TEST_CASE_METHOD(RulesFixture, "what is usually pulled is due ahead of its hour, once") {
  using namespace std::chrono_literals;
  auto learning = rule({"**"});
  learning.learning = Learning{.within = std::chrono::days(7), .ahead = 30min};
  learning.selection.max_images = 1;
  auto& rules = with(learning);
  const auto set = rules.get();
  const auto& r = set->at("r");
  clock.advance(std::chrono::ceil<std::chrono::hours>(clock.wall()) - clock.wall() + 10min);  // ten past
  pulls.record({"up.example", name}, "2.6.2");
  const auto next = clock.wall() - 10min + std::chrono::days(7);  // the hour when it is wanted again
  const Names usual{"up.example/paddlepaddle/paddle:2.6.2"};
  CHECK(rules.due(r, next - 1h, next - 30min).value() == usual);
  CHECK(rules.due(r, next, next + 30min).value().empty());          // done
  CHECK(rules.due(r, next - 1h, next - 31min).value().empty());     // not yet
  CHECK(rules.due(r, next - 200h, next + 59min).value() == usual);  // late, but it may be wanted still
  CHECK(rules.due(r, next - 200h, next + 60min).value().empty());   // too late
  clock.advance(1h);
  pulls.record({"up.example", name}, "2.5.1");
  CHECK(rules.due(r, next - 1h, next - 30min).value() == usual);
  auto far = r;
  far.learning->ahead = 12h;
  CHECK(rules.due(far, next - 1h, next - 11h).error().code == ErrorCode::too_large);  // both, and one is the limit
}

TEST_CASE_METHOD(RulesFixture, "pulls are noted while there is a rule that learns") {
  auto learning = rule({"**"});
  learning.learning = Learning{};
  auto& rules = with(rule({"**"}));
  pulls.record({"up.example", name}, "1");
  CHECK(pulls.pulled(std::chrono::days(7)).empty());
  rules.replace({{"r", learning}});
  pulls.record({"up.example", name}, "1");
  CHECK(pulls.pulled(std::chrono::days(7)).size() == 1);
}
