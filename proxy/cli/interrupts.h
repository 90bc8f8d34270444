// Interrupts: while one lives, Ctrl-C (SIGINT), SIGTERM and SIGHUP (the terminal has gone) are only noted, so that a
// command can end as it should. A second one, but for a SIGHUP, ends the process, and the programs that it has
// started.
//
// One at a time in a process.
#pragma once

#include <array>
#include <chrono>
#include <csignal>

namespace paddock {

class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] static bool came();
  // False when one came.
  static bool sleep(std::chrono::milliseconds time);

 private:
  struct Before {
    int signal;
    struct sigaction action{};
  };
  std::array<Before, 3> before_{{{SIGINT}, {SIGTERM}, {SIGHUP}}};
};

}  // namespace paddock
