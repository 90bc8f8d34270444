// EndpointHealth: which of an upstream's equivalent endpoints is asked next.
//
// Metadata goes to them as configured, those that have just failed last. Blobs are spread: each transfer goes where it
// is expected to be fastest, by the rate of earlier ones and the number at work now; an endpoint that is far slower
// than the best gets none, but for one now and then to see whether that has changed. Thread-safe. An endpoint is taken
// at its word again after `rest`, or as soon as it answers; after wrong bytes only when `distrust` is over.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/clock.h"
#include "storage/mutex.h"

namespace paddock {

class EndpointHealth {
 public:
  struct Options {
    std::chrono::seconds rest{10};
    std::chrono::seconds distrust{300};
    std::chrono::seconds probe{30};  // how often a slow endpoint gets a transfer
    double slow = 0.25;              // of the best rate: below it an endpoint is slow
  };
  struct State {
    bool resting = false, distrusted = false, slow = false;
    std::size_t transfers = 0;  // at work
    double rate = 0;            // bytes a second of one transfer; 0: not known yet
  };

  EndpointHealth(std::size_t endpoints, Options options, const Clock& clock);

  [[nodiscard]] std::vector<std::size_t> order() const;
  [[nodiscard]] std::vector<std::size_t> order_for_transfer() const;
  [[nodiscard]] bool resting(std::size_t endpoint) const;
  void failed(std::size_t endpoint);
  void answered(std::size_t endpoint);
  void sent_wrong_bytes(std::size_t endpoint);

  void transfer_began(std::size_t endpoint);
  // `time` is what was spent waiting for its bytes.
  void transfer_ended(std::size_t endpoint, std::uint64_t bytes, std::chrono::nanoseconds time);
  [[nodiscard]] std::vector<State> states() const;

 private:
  struct Endpoint {
    SteadyTime rests_until = SteadyTime::min(), distrusted_until = SteadyTime::min();
    SteadyTime last_transfer = SteadyTime::min();
    std::size_t transfers = 0;
    double rate = 0;
  };
  [[nodiscard]] double best_rate() const PADDOCK_REQUIRES(mutex_);
  [[nodiscard]] bool is_slow(const Endpoint& endpoint) const PADDOCK_REQUIRES(mutex_);
  static bool is_away(const Endpoint& endpoint, SteadyTime now);

  const Options options_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Endpoint> endpoints_ PADDOCK_GUARDED_BY(mutex_);
};

}  // namespace paddock
