// Interrupts: while one lives, Ctrl-C (SIGINT) and SIGTERM are only noted, so that a command can end as it should.
// The second of its kind ends the process.
//
// One at a time in a process.
#pragma once

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
  struct sigaction int_{}, term_{};
};

}  // namespace paddock
