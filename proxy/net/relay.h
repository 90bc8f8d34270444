// relay(): bytes both ways between two connections, until both have said all they have to say, one of them fails, or
// neither has said anything for a while. Private to proxy/net; both on the caller's loop, without deadlines of their
// own.
//
// An end of one side is passed on as an end, a failure as a reset.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "proxy/net/connection.h"
#include "storage/task.h"

namespace paddock {

struct Relayed {
  std::uint64_t to_first = 0, to_second = 0;  // bytes
  std::string failure{};                      // empty: both sides ended it
};

Task<Relayed> relay(Connection& first, Connection& second, std::chrono::steady_clock::duration silence);

}  // namespace paddock
