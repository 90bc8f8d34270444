#include "benchmarks/load/beat.h"

#include <algorithm>
#include <thread>

#include "benchmarks/load/poller.h"

namespace paddock::load {

BeatOutcome beat(const Target& target, SSL_CTX* tls, const Plan& plan, std::chrono::milliseconds every,
                 std::chrono::seconds duration) {
  BeatOutcome outcome;
  Link link(target, tls);
  Poller poller(plan.stall, plan.deadline, [&outcome](Link& answered) {
    if (!answered.answer().ok()) outcome.error = answered.answer().said();
  });
  const Time end = std::chrono::steady_clock::now() + duration;
  Time due = end - duration, now = due;
  const auto note = [&] { outcome.waits.push_back(std::chrono::duration<double, std::milli>(now - due).count()); };
  for (; due < end && now < end && outcome.error.empty(); due += every) {
    std::this_thread::sleep_until(due);
    link.ask("/manifests/" + plan.tag, accept_manifests, false);
    poller.add(link);
    poller.run();
    now = std::chrono::steady_clock::now();
    note();
  }
  for (; due < end && outcome.error.empty(); due += every) note();  // still waiting for their turn
  std::ranges::sort(outcome.waits);
  return outcome;
}

}  // namespace paddock::load
