// Poller: drives links until none waits any more, or a deadline has passed. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <unordered_map>
#include <vector>

#include "benchmarks/load/link.h"

namespace paddock::load {

class Poller {
 public:
  // Told of each link that has its answer or has failed; may add links, also the same one again.
  using Done = std::function<void(Link&)>;

  Poller(std::chrono::seconds stall, std::chrono::seconds deadline, Done done);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // A link that has been asked something. It must live until run() returns.
  void add(Link& link);
  void run();

 private:
  void drive(Link& link);
  void watch(Link& link);
  void forget(Link& link);
  void drop_late();

  const std::chrono::seconds stall_;
  const Time deadline_;
  const Done done_;
  int epoll_;
  std::unordered_map<Link*, std::uint32_t> waiting_;  // what the kernel watches for them
  std::vector<Link*> again_;                          // have bytes that the kernel does not know of
};

}  // namespace paddock::load
