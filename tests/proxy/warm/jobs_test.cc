#include "proxy/warm/jobs.h"

#include <algorithm>
#include <atomic>

#include "storage/eviction.h"
#include "storage/last_use.h"
#include "tests/proxy/warm/warm_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> one(const std::string& image) { return {image}; }

using Names = std::vector<std::string>;

bool in_state(const WarmJobReport& job, WarmState state) { return job.state == state; }

// A rule whose images a test names.
struct RuleFixture : WarmFixture {
  ~RuleFixture() { shut_down(); }  // before the evictor goes
  RuleFixture() {
    for (const auto* tag : {"1", "2", "3"}) add_image({pattern(40'000 + 1'000 * static_cast<std::size_t>(*tag))}, tag);
    auto with_rule = parts();
    with_rule.expand = [this](std::string) -> Task<Result<Names>> { co_return meant; };
    with_rule.fill_in = [this](WarmRequest& request) -> Result<void> {
      request.displaces = displaces;
      return {};
    };
    ruled = &another(options, with_rule);
  }
  // What is pinned afterwards.
  Names run() {
    const auto id = ruled->submit({.pin = 1h, .rule = "newest"})->id;
    while (!is_final(ruled->job(id)->state)) std::this_thread::yield();
    outcome = ruled->job(id).value();
    Names pinned;
    for (const auto& pin : catalog.pins().value()) pinned.push_back(pin.reference + " of " + pin.rule);
    std::ranges::sort(pinned);
    return pinned;
  }

  LastUse last_use{catalog, clock};
  Evictor evictor{catalog, blobs, last_use, clock, {}};
  Names meant;
  bool displaces = true;
  WarmJobReport outcome;
  WarmJobs* ruled = nullptr;
};

}  // namespace

TEST_CASE_METHOD(WarmFixture, "a job fetches what is missing of the platforms asked for, and nothing else") {
  const auto shared = pattern(50'000), for_amd = pattern(60'000), for_arm = pattern(90'000);
  add_index({{"linux/amd64", add_image({shared, for_amd})}, {"linux/arm64", add_image({shared, for_arm})}}, "2");
  const auto job = warm({.images = one("paddlepaddle/paddle:2")});
  CHECK(job.state == WarmState::complete);
  REQUIRE(job.images.size() == 1);
  CHECK(job.images[0].state == WarmState::complete);
  CHECK(job.images[0].name == "up.example/paddlepaddle/paddle:2");
  CHECK(job.progress.stored == job.progress.total);
  CHECK(job.finished == clock.wall());
  CHECK(stored(Digest::of(shared)));
  CHECK(stored(Digest::of(for_amd)));
  CHECK_FALSE(stored(Digest::of(for_arm)));
  CHECK(upstream->blob_bytes() == job.progress.total);
  CHECK(jobs.stats().fetched == job.progress.total);
}

TEST_CASE_METHOD(WarmFixture, "blobs that several images share are fetched and counted once") {
  const auto base = pattern(40'000);
  add_image({base, pattern(100)}, "1");
  add_image({base, pattern(200)}, "2");
  const auto job = warm({.images = {"paddlepaddle/paddle:1", "paddlepaddle/paddle:2"}});
  CHECK(job.state == WarmState::complete);
  CHECK(upstream->count("get_blob paddlepaddle/paddle " + Digest::of(base).to_string()) == 1);
  CHECK(job.progress.total < job.images[0].progress.total + job.images[1].progress.total);
}

TEST_CASE_METHOD(WarmFixture, "an image that is not there fails alone") {
  add_image({pattern(100)}, "1");
  const auto job = warm({.images = {"paddlepaddle/paddle:9", "paddlepaddle/paddle:1", "Nonsense//"}});
  CHECK(job.state == WarmState::failed);
  REQUIRE(job.images.size() == 3);
  CHECK(job.images[0].state == WarmState::failed);
  CHECK(job.images[0].error.starts_with("no such tag"));
  CHECK(job.images[1].state == WarmState::complete);
  CHECK(job.images[2].state == WarmState::failed);
  CHECK(stored(Digest::of(pattern(100))));
}

TEST_CASE_METHOD(WarmFixture, "what breaks off is tried again, what does not pass is given up") {
  add_image({pattern(30'000)}, "1");
  upstream->fail_calls("get_manifest", broken_connection, 2);
  upstream->fail_calls("get_blob paddlepaddle/paddle " + Digest::of(pattern(30'000)).to_string(), broken_connection, 2);
  CHECK(warm({.images = one("paddlepaddle/paddle:1")}).state == WarmState::complete);

  add_image({pattern(31'000)}, "2");
  const std::string lost = "get_blob paddlepaddle/paddle " + Digest::of(pattern(31'000)).to_string();
  upstream->fail_calls(lost, Error{ErrorCode::not_found, Blame::upstream, "blob unknown"}, 0);
  const auto job = warm({.images = one("paddlepaddle/paddle:2")});
  CHECK(job.state == WarmState::failed);
  CHECK(job.images[0].error.contains("blob unknown"));
  CHECK(upstream->count(lost) == 1);
}

TEST_CASE_METHOD(WarmFixture, "who asks for what a job is doing joins it, whatever the order") {
  add_image({pattern(100)}, "1");
  add_image({pattern(200)}, "2");
  upstream->hold("get_blob");
  const auto first = jobs.submit({.images = {"paddlepaddle/paddle:1", "paddlepaddle/paddle:2"}}).value();
  CHECK_FALSE(first.joined);
  REQUIRE(upstream->wait_for_held());
  const auto second = jobs.submit({.images = {"paddlepaddle/paddle:2", "paddlepaddle/paddle:1"}}).value();
  CHECK(second.joined);
  CHECK(second.id == first.id);
  CHECK_FALSE(jobs.submit({.images = {"paddlepaddle/paddle:2", "paddlepaddle/paddle:1"}, .pin = 1h})->joined);
  upstream->release();
  CHECK(wait_for(first.id).state == WarmState::complete);
  CHECK_FALSE(jobs.submit({.images = {"paddlepaddle/paddle:1", "paddlepaddle/paddle:2"}})->joined);
}

TEST_CASE_METHOD(WarmFixture, "a job that is cancelled stops fetching and keeps what it has") {
  const auto big = pattern(200'000);
  add_image({big}, "1");
  upstream->hold_blobs_at(100'000);
  const auto id = jobs.submit({.images = one("paddlepaddle/paddle:1")})->id;
  REQUIRE(upstream->wait_for_held());
  wait_until(id, [](const auto& job) { return job.progress.stored > 50'000; });
  REQUIRE(jobs.cancel(id));
  CHECK(wait_for(id).state == WarmState::cancelled);
  CHECK(jobs.cancel(id).error().code == ErrorCode::conflict);
  CHECK(jobs.cancel("0-0").error().code == ErrorCode::not_found);
  while (!fills.fills().empty()) std::this_thread::yield();
  CHECK(fills.stats().suspended == 1);
  upstream->release();
  CHECK(warm({.images = one("paddlepaddle/paddle:1")}).state == WarmState::complete);
  CHECK(fills.stats().resumed == 1);
}

TEST_CASE_METHOD(WarmFixture, "a cancelled job does not take from a client what he is reading") {
  const auto big = pattern(200'000);
  add_image({big}, "1");
  upstream->hold_blobs_at(100'000);
  const auto id = jobs.submit({.images = one("paddlepaddle/paddle:1")})->id;
  REQUIRE(upstream->wait_for_held());
  const auto fill = fills.fetch({upstream, name, Digest::of(big)});
  REQUIRE(jobs.cancel(id));
  CHECK(wait_for(id).state == WarmState::cancelled);
  upstream->release();
  CHECK(start(fill->over(soon())).get().value());
  CHECK(stored(Digest::of(big)));
}

TEST_CASE_METHOD(WarmFixture, "what the last process had not finished goes on in the next") {
  add_image({pattern(100'000)}, "1");
  add_image({pattern(100)}, "2");
  CHECK(warm({.images = one("paddlepaddle/paddle:2")}).state == WarmState::complete);
  upstream->hold_blobs_at(50'000);
  const auto id = jobs.submit({.images = one("paddlepaddle/paddle:1"), .pin = 1h})->id;
  REQUIRE(upstream->wait_for_held());
  jobs.stop();

  upstream->release();
  auto& next = another(options, parts());
  REQUIRE(next.start());
  for (const auto until = soon(); !is_final(next.job(id)->state) && std::chrono::steady_clock::now() < until;) {
    std::this_thread::yield();
  }
  CHECK(next.job(id)->state == WarmState::complete);
  CHECK(next.job(id)->request.pin == 1h);
  CHECK(next.jobs().size() == 2);
  CHECK(next.jobs().front().id == id);
}

TEST_CASE_METHOD(WarmFixture, "a job that cannot be kept on disk is not promised") {
  add_image({pattern(100)}, "1");
  fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);
  const auto refused = jobs.submit({.images = one("paddlepaddle/paddle:1")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::no_space);
  CHECK(jobs.jobs().empty());
  fs.clear();
  CHECK_FALSE(jobs.submit({.images = one("paddlepaddle/paddle:1")})->joined);
}

TEST_CASE_METHOD(WarmFixture, "what is bigger than the room there is is refused before a byte of it is fetched") {
  add_image({pattern(60'000), pattern(50'000)}, "1");
  space.set_limits(100'000, 0);
  const auto job = warm({.images = one("paddlepaddle/paddle:1")});
  CHECK(job.state == WarmState::failed);
  CHECK(job.error.contains("storage.max_size"));
  CHECK(upstream->count("get_blob") == 0);
}

TEST_CASE_METHOD(WarmFixture, "a plan says what would be fetched and whether it fits, and fetches nothing") {
  add_image({pattern(60'000), pattern(50'000)}, "1");
  REQUIRE(blobs.put(Digest::of(pattern(50'000)), pattern(50'000)));
  const auto plan = start(jobs.plan({.images = {"paddlepaddle/paddle:1", "paddlepaddle/paddle:9"}})).get().value();
  CHECK(plan.progress.total > 110'000);
  CHECK(plan.progress.stored == 50'000);
  CHECK(plan.fit.missing == plan.progress.total - plan.progress.stored);
  CHECK(plan.fit.fits);
  CHECK(plan.images[1].state == WarmState::failed);
  CHECK(upstream->count("get_blob") == 0);
  CHECK(jobs.jobs().empty());
  space.set_limits(100'000, 0);
  CHECK_FALSE(start(jobs.plan({.images = one("paddlepaddle/paddle:1")})).get()->fit.fits);
}

TEST_CASE_METHOD(WarmFixture, "images are pinned for as long as was said, and a longer pin stays") {
  const auto digest = add_image({pattern(100)}, "1");
  CHECK(warm({.images = one("paddlepaddle/paddle:1"), .pin = 1h}).state == WarmState::complete);
  REQUIRE(catalog.pins()->size() == 1);
  CHECK(catalog.pins()->front() == PinRecord{{"up.example", name}, "1", digest, clock.wall() + 1h});
  CHECK(warm({.images = one("paddlepaddle/paddle:1"), .pin = 30min}).state == WarmState::complete);
  CHECK(catalog.pins()->front().until == clock.wall() + 1h);
  CHECK(warm({.images = one("paddlepaddle/paddle:1"), .pin = 2h}).state == WarmState::complete);
  CHECK(catalog.pins()->front().until == clock.wall() + 2h);
  store.put_pin({{"up.example", name}, "1", digest, std::nullopt}).value();
  CHECK(warm({.images = one("paddlepaddle/paddle:1"), .pin = 3h}).state == WarmState::complete);
  CHECK_FALSE(catalog.pins()->front().until);
}

TEST_CASE_METHOD(RuleFixture, "a rule that follows versions lets go of old ones once the new ones are there") {
  meant = {"paddlepaddle/paddle:1", "paddlepaddle/paddle:2"};
  CHECK(run() == Names{"1 of newest", "2 of newest"});
  meant = {"paddlepaddle/paddle:2"};
  CHECK(run() == Names{"2 of newest"});
  displaces = false;
  meant = {"paddlepaddle/paddle:3"};
  CHECK(run() == Names{"2 of newest", "3 of newest"});
}

TEST_CASE_METHOD(RuleFixture, "it keeps the old ones while a new one cannot be had whole, or nothing is listed") {
  meant = {"paddlepaddle/paddle:1"};
  CHECK(run() == Names{"1 of newest"});
  meant = {};
  CHECK(run() == Names{"1 of newest"});
  meant = {"paddlepaddle/paddle:9"};
  CHECK(run() == Names{"1 of newest"});
  meant = {"paddlepaddle/paddle:2"};
  upstream->fail_calls("get_blob", Error{ErrorCode::not_found, Blame::upstream, "gone", false}, 0);
  CHECK(run() == Names{"1 of newest", "2 of newest"});
  upstream->clear_failures();
  CHECK(run() == Names{"2 of newest"});
}

TEST_CASE_METHOD(RuleFixture,
                 "where there is no room for both, the old ones go first, unless somebody else has pinned them") {
  space.set_evictor([this](std::uint64_t bytes) { return evictor.evict(bytes); });
  meant = {"paddlepaddle/paddle:1"};
  CHECK(run() == Names{"1 of newest"});
  space.set_limits(space.usage().stored + 10'000, 0);
  meant = {"paddlepaddle/paddle:2"};
  CHECK(run() == Names{"2 of newest"});
  CHECK(outcome.state == WarmState::complete);
  auto by_hand = catalog.pins()->front();
  by_hand.rule.clear();
  store.put_pin(by_hand).value();
  meant = {"paddlepaddle/paddle:3"};
  CHECK(run() == Names{"2 of "});
  CHECK(outcome.error.contains("there is room for"));
}

TEST_CASE_METHOD(RuleFixture, "a rule's tags are asked for anew, however fresh they are") {
  meant = {"paddlepaddle/paddle:1"};
  run();
  const auto moved = add_image({pattern(300)}, "1");
  CHECK(run() == Names{"1 of newest"});
  CHECK(outcome.images.at(0).digest == moved.to_string());
  const auto again = add_image({pattern(400)}, "1");
  CHECK(warm({.images = one("paddlepaddle/paddle:1")}).images.at(0).digest == moved.to_string());
  (void)again;
}

TEST_CASE_METHOD(WarmFixture, "a blob that the catalog knows and the disk does not is fetched again") {
  const auto layer = pattern(5000);
  add_image({layer}, "1");
  CHECK(warm({.images = one("paddlepaddle/paddle:1")}).state == WarmState::complete);
  REQUIRE(fs.remove(folder.paths().blob(Digest::of(layer))));
  CHECK(warm({.images = one("paddlepaddle/paddle:1")}).state == WarmState::complete);
  CHECK(stored(Digest::of(layer)));
}

TEST_CASE_METHOD(WarmFixture, "jobs wait in line, and beyond a number of them nobody is let in") {
  WarmJobs::Options few = options;
  few.jobs_at_once = 1;
  few.waiting = 1;
  auto& line = another(few, parts());
  add_image({pattern(100)}, "1");
  upstream->hold("get_manifest");
  const auto first = line.submit({.images = one("paddlepaddle/paddle:1")}).value();
  REQUIRE(upstream->wait_for_held());
  const auto second = line.submit({.images = one("paddlepaddle/paddle:2")}).value();
  CHECK(in_state(line.job(second.id).value(), WarmState::queued));
  CHECK(line.submit({.images = one("paddlepaddle/paddle:3")}).error().code == ErrorCode::rate_limited);
  REQUIRE(line.cancel(second.id));
  CHECK(in_state(line.job(second.id).value(), WarmState::cancelled));
  CHECK(line.submit({.images = one("paddlepaddle/paddle:3")}));
  CHECK(line.stats().jobs.at(WarmState::queued) == 1);
  upstream->release();
  while (!is_final(line.job(first.id)->state)) std::this_thread::yield();
}

TEST_CASE_METHOD(WarmFixture, "only so many finished jobs are remembered, here and on disk") {
  WarmJobs::Options few = options;
  few.kept = 2;
  auto& short_memory = another(few, parts());
  std::string last;
  for (int i = 0; i < 4; ++i) {
    last = short_memory.submit({.images = one("paddlepaddle/paddle:" + std::to_string(i))})->id;
    while (!is_final(short_memory.job(last)->state)) std::this_thread::yield();
  }
  while (short_memory.jobs().size() > 2 || files.load()->size() > 2) std::this_thread::yield();
  CHECK(short_memory.job(last));
}

TEST_CASE_METHOD(WarmFixture, "jobs that are cancelled in line are forgotten like the others") {
  WarmJobs::Options few = options;
  few.jobs_at_once = 1;
  few.kept = 2;
  auto& line = another(few, parts());
  add_image({pattern(100)}, "1");
  upstream->hold("get_manifest");
  const auto first = line.submit({.images = one("paddlepaddle/paddle:1")}).value();
  REQUIRE(upstream->wait_for_held());
  for (int i = 2; i < 8; ++i) {
    REQUIRE(line.cancel(line.submit({.images = one("paddlepaddle/paddle:" + std::to_string(i))})->id));
  }
  CHECK(line.jobs().size() == 3);
  CHECK(files.load()->size() == 3);
  upstream->release();
  while (files.load()->size() > 2) std::this_thread::yield();
  // The one that began first ended last: whoever waits for it must be told how.
  CHECK(line.job(first.id).value().state == WarmState::complete);
  CHECK(line.jobs().size() == 2);
}

TEST_CASE_METHOD(WarmFixture, "a clock that was set back does not make the newest job the first to be forgotten") {
  WarmJobs::Options few = options;
  few.kept = 1;
  few.jobs_at_once = 1;  // the first is forgotten when the second ends only if it ended before that
  add_image({pattern(100)}, "1");
  const auto run_one = [&](WarmJobs& with) {
    const auto id = with.submit({.images = one("paddlepaddle/paddle:1")})->id;
    for (auto job = with.job(id); job && !is_final(job->state); job = with.job(id)) std::this_thread::yield();
    return id;
  };
  auto& before = another(few, parts());
  const auto first = run_one(before);
  clock.advance(-1h);
  const auto second = run_one(before);
  CHECK(second > first);
  while (before.job(first) || files.load()->size() > 1) std::this_thread::yield();
  CHECK(before.job(second));
  before.stop();

  auto& after = another(few, parts());
  REQUIRE(after.start());
  const auto third = run_one(after);
  CHECK(third > second);
  while (after.job(second)) std::this_thread::yield();
  CHECK(after.job(third));
}

TEST_CASE_METHOD(WarmFixture, "a job whose images cannot be pinned fails, though they are there") {
  add_image({pattern(100)}, "1");
  REQUIRE(warm({.images = one("paddlepaddle/paddle:1")}).state == WarmState::complete);
  auto full = parts();
  full.expand = [&](std::string) -> Task<Result<std::vector<std::string>>> {
    fs.fail_all(FaultFileSystem::Op::rename, ErrorCode::no_space);  // from when the job is kept on
    co_return one("paddlepaddle/paddle:1");
  };
  auto& jobs_on_full_disk = another(options, full);
  const auto id = jobs_on_full_disk.submit({.pin = 1h, .rule = "r"})->id;
  while (!is_final(jobs_on_full_disk.job(id)->state)) std::this_thread::yield();
  const auto job = jobs_on_full_disk.job(id).value();
  CHECK(job.state == WarmState::failed);
  CHECK(job.error.starts_with("the images cannot be pinned: "));
  CHECK(job.images.at(0).state == WarmState::complete);
}

TEST_CASE_METHOD(WarmFixture, "images of elsewhere are left out where only ours are wanted, else they fail") {
  add_image({pattern(100)}, "1");
  const std::vector<std::string> images{"ghcr.io/other/thing:1", "paddlepaddle/paddle:1"};
  const auto all = warm({.images = images});
  CHECK(all.state == WarmState::failed);
  CHECK(all.images.size() == 2);
  const auto ours = warm({.images = images, .ours_only = true});
  CHECK(ours.state == WarmState::complete);
  CHECK(ours.images.size() == 1);
}

TEST_CASE_METHOD(WarmFixture, "a rule's images are looked up when the job runs, and again when that breaks off") {
  add_image({pattern(100)}, "1");
  std::atomic<int> lookups = 0;
  auto with_rules = parts();
  with_rules.expand = [&](std::string rule) -> Task<Result<std::vector<std::string>>> {
    if (rule != "r") co_return fail(ErrorCode::not_found, Blame::client, "no such rule");
    if (++lookups == 1) co_return std::unexpected(broken_connection);
    co_return std::vector<std::string>{"paddlepaddle/paddle:1"};
  };
  with_rules.fill_in = [](WarmRequest& request) -> Result<void> {
    if (request.platforms.empty()) request.platforms = {"linux/arm64"};
    return {};
  };
  auto& ruled = another(options, with_rules);
  const auto id = ruled.submit({.platforms = {}, .rule = "r"})->id;
  while (!is_final(ruled.job(id)->state)) std::this_thread::yield();
  CHECK(ruled.job(id)->state == WarmState::complete);
  CHECK(ruled.job(id)->request.platforms == std::vector<std::string>{"linux/arm64"});
  CHECK(lookups == 2);
  const auto lost = ruled.submit({.platforms = {}, .rule = "x"})->id;
  while (!is_final(ruled.job(lost)->state)) std::this_thread::yield();
  CHECK(ruled.job(lost)->error == "rule x: no such rule");
  CHECK(jobs.submit({.images = one("a"), .platforms = {}}));
}

TEST_CASE_METHOD(WarmFixture, "requests that make no sense are refused") {
  const auto bad = GENERATE(values<WarmRequest>({{},
                                                 {.images = {"a"}, .platforms = {"linux"}},
                                                 {.images = {"a"}, .platforms = {"a b/c"}},
                                                 {.images = {std::string(1025, 'a')}},
                                                 {.images = std::vector<std::string>(1001, "a")},
                                                 {.images = {"a"}, .pin = std::chrono::years(101)}}));
  CHECK(jobs.submit(bad).error().code == ErrorCode::invalid_argument);
  CHECK(start(jobs.plan(bad)).get().error().code == ErrorCode::invalid_argument);
}

TEST_CASE_METHOD(WarmFixture, "whoever watches is told of every state, and of images only when they change") {
  std::atomic<int> finals = 0, images = 0;
  auto watched = parts();
  watched.observe = [&](const WarmJobReport& job) {
    images += static_cast<int>(job.images.size());
    if (is_final(job.state)) ++finals;  // last: it ends this test
  };
  auto& told = another(options, watched);
  add_image({pattern(100'000)}, "1");
  upstream->hold_blobs_at(50'000);
  const auto id = told.submit({.images = one("paddlepaddle/paddle:1")})->id;
  REQUIRE(upstream->wait_for_held());
  upstream->release();
  while (finals == 0) std::this_thread::yield();
  CHECK(images >= 1);
  CHECK(told.job(id)->state == WarmState::complete);
}
