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
    const Answer& answer = answered.answer();
    if (!answer.error.empty() || answer.status != 200) outcome.error = said(answer);
  });
  const Time start = std::chrono::steady_clock::now();
  for (Time due = start; due < start + duration && outcome.error.empty(); due += every) {
    std::this_thread::sleep_until(due);
    link.ask("/manifests/" + plan.tag, accept_manifests, false);
    poller.add(link);
    poller.run();
    outcome.waits.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - due).count());
  }
  std::ranges::sort(outcome.waits);
  return outcome;
}

}  // namespace paddock::load
