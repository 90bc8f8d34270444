#include "proxy/cli/interrupts.h"

#include <algorithm>
#include <thread>

namespace paddock {
namespace {

using Clock = std::chrono::steady_clock;
volatile std::sig_atomic_t interrupted = 0;

}  // namespace

Interrupts::Interrupts() {
  interrupted = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // who asks twice does not want to wait
  ::sigaction(SIGINT, &action, &int_);
  ::sigaction(SIGTERM, &action, &term_);
}

Interrupts::~Interrupts() {
  ::sigaction(SIGINT, &int_, nullptr);
  ::sigaction(SIGTERM, &term_, nullptr);
}

bool Interrupts::came() { return interrupted != 0; }

bool Interrupts::sleep(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds step{50};
  for (const auto until = Clock::now() + time; !came() && Clock::now() < until;) {
    std::this_thread::sleep_for(std::min(step, time));
  }
  return !came();
}

}  // namespace paddock
