#include "proxy/warm/scheduler.h"

#include <atomic>
#include <optional>

#include "tests/proxy/warm/warm_fixture.h"

using namespace paddock;
using namespace paddock::test;
using namespace std::chrono_literals;

namespace {

struct SchedulerFixture : WarmFixture {
  ~SchedulerFixture() {
    for (const auto& scheduler : schedulers) scheduler->stop();
    shut_down();
  }

  static WarmRule hourly() {
    WarmRule rule;
    rule.schedule = Schedule::parse("0 * * * *").value();
    return rule;
  }
  // One that looks at the clock all the time.
  Scheduler& begin() {
    auto& scheduler = *schedulers.emplace_back(std::make_unique<Scheduler>(
        Scheduler::Parts{.pool = pool,
                         .rules = rules,
                         .submit = [this](WarmRequest request) { return submit(std::move(request)); },
                         .fs = fs,
                         .file = folder.paths().jobs() / "schedule.json",
                         .clock = clock},
        Scheduler::Options{.spread = 0s, .look = 1ms}));
    start(run(scheduler));
    return scheduler;
  }
  Task<int> run(Scheduler& scheduler) {
    co_await scheduler.run();
    ++ended;
    co_return 0;
  }
  Result<WarmTicket> submit(WarmRequest request) {
    ++asked;
    if (refuse) return fail(ErrorCode::rate_limited, Blame::us, "too many");
    const MutexLock lock(mutex);
    names.push_back(request.rule);
    last = std::move(request);
    return WarmTicket{"1", false};
  }
  std::vector<std::string> ran() {
    const MutexLock lock(mutex);
    return names;
  }
  // When the rule was last run, or first seen, by what is on disk.
  std::optional<std::int64_t> written(const std::string& rule) {
    const auto text = read_file(fs, folder.paths().jobs() / "schedule.json", 1 << 20);
    const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
    if (!json.is_object() || !json.contains(rule) || !json[rule].is_object()) return std::nullopt;
    return json[rule]["run"].get<std::int64_t>();
  }
  // It has looked at the clock, and written down since when it knows the rule.
  bool kept(const std::string& rule = "hourly") {
    const auto run = written(rule);
    return run && *run <= clock.wall().time_since_epoch().count();
  }
  // What it has done at this time is on disk.
  bool looked(const std::string& rule) { return written(rule) == clock.wall().time_since_epoch().count(); }
  template <typename F>
  void wait(F is_so) {
    for (const auto until = soon(); !is_so(); std::this_thread::yield()) {
      if (std::chrono::steady_clock::now() > until) FAIL("waited in vain");
    }
  }
  // Long enough for it to look at the clock again some times.
  void looks() {
    for (int i = 0; i < 20; ++i) start(pool.run([]() -> Result<int> { return 0; })).get();
  }

  std::atomic<int> asked{0}, ended{0};
  std::atomic<bool> refuse{false};
  Mutex mutex;
  std::vector<std::string> names PADDOCK_GUARDED_BY(mutex);
  WarmRequest last PADDOCK_GUARDED_BY(mutex);
  Rules rules{{pool, catalog, lists, upstreams, pulls}, {{"hourly", hourly()}, {"by hand", WarmRule{}}}};
  std::vector<std::unique_ptr<Scheduler>> schedulers;
};

}  // namespace

TEST_CASE_METHOD(SchedulerFixture, "a rule is run at its time, once each time, and not before its first one") {
  begin();
  wait([&] { return kept(); });
  CHECK(ran().empty());
  clock.advance(1h);
  wait([&] { return ran().size() == 1; });
  CHECK(ran().front() == "hourly");
  clock.advance(1h);
  wait([&] { return ran().size() == 2; });
  looks();
  CHECK(ran().size() == 2);
}

TEST_CASE_METHOD(SchedulerFixture, "what was due while nobody was there is run once after the start") {
  auto& first = begin();
  wait([&] { return kept(); });
  first.stop();
  wait([&] { return ended == 1; });
  clock.advance(5h);
  begin();
  wait([&] { return ran().size() == 1; });
  looks();
  CHECK(ran().size() == 1);
}

TEST_CASE_METHOD(SchedulerFixture, "what cannot be begun is tried again") {
  refuse = true;
  begin();
  wait([&] { return kept(); });
  clock.advance(1h);
  wait([&] { return asked > 1; });
  refuse = false;
  wait([&] { return ran().size() == 1; });
}

TEST_CASE_METHOD(SchedulerFixture, "rules that a reload brings are run, those it took are not") {
  auto& scheduler = begin();
  wait([&] { return kept(); });
  rules.replace({{"new", hourly()}});
  scheduler.poke();
  wait([&] { return kept("new"); });
  clock.advance(2h);
  wait([&] { return !ran().empty(); });
  CHECK(ran().front() == "new");
}

TEST_CASE_METHOD(SchedulerFixture, "a damaged file only means that nothing was missed") {
  write_file_durably(fs, folder.paths().jobs() / "schedule.json", "{\"hourly\": \"yesterday\"").value();
  begin();
  wait([&] { return kept(); });
  clock.advance(1h);
  wait([&] { return ran().size() == 1; });
}

TEST_CASE_METHOD(SchedulerFixture, "a clock that is set back does not silence a rule") {
  write_file_durably(fs, folder.paths().jobs() / "schedule.json",
                     "{\"hourly\": " + std::to_string((clock.wall() + 1000h).time_since_epoch().count()) + "}")
      .value();
  begin();
  wait([&] { return kept(); });
  clock.advance(1h);
  wait([&] { return ran().size() == 1; });
}

TEST_CASE_METHOD(SchedulerFixture, "a rule that learns has what is usual fetched ahead of its hour, and else nothing") {
  clock.advance(std::chrono::ceil<std::chrono::hours>(clock.wall()) - clock.wall() + 1h);
  auto learning = hourly();
  learning.schedule = Schedule::parse("30 * * * *").value();
  learning.learning = Learning{.within = std::chrono::days(7), .ahead = 30min};
  learning.selection.images = {ImagePattern::parse("**", "up.example").value()};
  rules.replace({{"usual", learning}});
  pulls.record({"up.example", name}, "2.6.2");
  clock.advance(std::chrono::days(7) - 2h);
  begin();
  wait([&] { return kept("usual"); });
  clock.advance(30min);  // half past: of the hour that is next nothing is known
  wait([&] { return looked("usual"); });
  CHECK(asked == 0);
  clock.advance(1h);
  wait([&] { return looked("usual"); });
  REQUIRE(asked == 1);
  {
    const MutexLock lock(mutex);
    CHECK(last == WarmRequest{.images = {"up.example/paddlepaddle/paddle:2.6.2"}, .platforms = {}, .rule = "usual"});
  }
  clock.advance(1h);
  wait([&] { return looked("usual"); });
  CHECK(asked == 1);
}

TEST_CASE_METHOD(SchedulerFixture, "what the last version wrote of its runs is understood") {
  write_file_durably(fs, folder.paths().jobs() / "schedule.json",
                     "{\"hourly\": " + std::to_string((clock.wall() - 5h).time_since_epoch().count()) + "}")
      .value();
  begin();
  wait([&] { return ran().size() == 1; });
}
