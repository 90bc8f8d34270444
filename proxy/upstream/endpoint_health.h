// EndpointHealth: which of an upstream's equivalent endpoints is asked next.
//
//   works ──a question fails──▶ rests ──▶ one question at a time ──answered──▶ works
//                                 ▲                  │
//                                 └──twice as long───┘ failed again
//
// Who rests is asked after all others. Among those that are as good, metadata goes to them as configured, and blobs are
// spread: each transfer goes where it is expected to be fastest, by the rate of earlier ones and the number of
// questions and transfers at work now; an endpoint that is far slower than the best gets none, but for one now and then
// to see whether that has changed. After wrong bytes it is asked after those that are less doubted: for long where it
// is certain that they were its own, for a moment where others may have sent them. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/upstream/upstream.h"
#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class EndpointHealth {
 public:
  struct Options {
    std::chrono::seconds rest{10}, longest_rest{300};
    std::chrono::seconds distrust{300};  // after wrong bytes that were certainly its own
    std::chrono::seconds suspect{60};    // after others
    std::chrono::seconds probe{30};      // how often a slow endpoint gets a transfer
    double slow = 0.25;                  // of the best rate: below it an endpoint is slow
  };
  struct State {
    bool resting = false, distrusted = false, slow = false;
    std::size_t transfers = 0;  // at work
    double rate = 0;            // bytes a second of one transfer; 0: not known yet
  };
  // A question from when it is asked until it is answered or given up. May outlive the EndpointHealth's owner.
  using Question = std::shared_ptr<void>;

  EndpointHealth(std::size_t endpoints, Options options, const Clock& clock);

  [[nodiscard]] std::vector<std::size_t> order() const;
  [[nodiscard]] std::vector<std::size_t> order_for_transfer() const;
  [[nodiscard]] static Question ask(std::shared_ptr<EndpointHealth> health, std::size_t endpoint, bool for_transfer);
  // Not worth a second try.
  [[nodiscard]] bool resting(std::size_t endpoint) const;
  void failed(std::size_t endpoint);
  void answered(std::size_t endpoint);
  void sent_wrong_bytes(std::size_t endpoint, Doubt doubt);

  void transfer_began(std::size_t endpoint);
  // `time` is what was spent waiting for its bytes.
  void transfer_ended(std::size_t endpoint, std::uint64_t bytes, std::chrono::nanoseconds time);
  [[nodiscard]] std::vector<State> states() const;

 private:
  struct Endpoint {
    bool failing = false;  // its last question failed
    std::chrono::seconds rest{0};
    SteadyTime rests_until = SteadyTime::min();
    Doubt doubt = Doubt::possible;
    SteadyTime doubted_until = SteadyTime::min();
    SteadyTime last_transfer = SteadyTime::min();  // asked for
    std::size_t questions = 0, transfers = 0;
    double rate = 0;
  };
  static bool is_resting(const Endpoint& endpoint, SteadyTime now);
  static bool is_distrusted(const Endpoint& endpoint, SteadyTime now);
  static int standing(const Endpoint& endpoint, SteadyTime now);
  static int doubt_in(const Endpoint& endpoint, SteadyTime now);
  // Of those that can be had.
  [[nodiscard]] double best_rate(SteadyTime now) const PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] bool is_slow(const Endpoint& endpoint, double best) const;
  void asked(std::size_t endpoint, bool for_transfer);
  void question_over(std::size_t endpoint);

  const Options options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Endpoint> endpoints_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock
