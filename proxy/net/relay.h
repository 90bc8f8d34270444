// Relay: bytes both ways between two connections, until both have said all they have to say, one of them fails, or
// neither has said anything for a while. Private to proxy/net; all on one loop, the connections without deadlines of
// their own.
//
// An end of one side is passed on as an end, a failure as a reset.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/net/connection.h"
#include "proxy/net/watchdog.h"
#include "storage/task.h"

namespace paddock {

struct Relayed {
  std::uint64_t to_first = 0, to_second = 0;  // bytes
  std::string failure{};                      // empty: both sides ended it
};

class Relay {
 public:
  Relay(Connection& first, Connection& second, std::chrono::steady_clock::duration silence);

  Task<Relayed> run();
  // From now on no longer silence than this.
  void hurry(std::chrono::steady_clock::duration silence);

 private:
  Task<void> pump(Connection& from, Connection& to, std::uint64_t& count);
  void fail(std::string why);

  Connection& first_;
  Connection& second_;
  std::chrono::steady_clock::duration silence_;
  Relayed relayed_;
  Watchdog watchdog_;
};

}  // namespace paddock
