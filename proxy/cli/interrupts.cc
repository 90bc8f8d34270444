#include "proxy/cli/interrupts.h"

#include <algorithm>
#include <thread>

#include "proxy/host/child_process.h"

namespace paddock {
namespace {

using Clock = std::chrono::steady_clock;
volatile std::sig_atomic_t interrupted = 0;

void note(int signal) {
  if (interrupted == 0 || signal == SIGHUP) {  // which a kernel and a shell may both send, and nobody types
    interrupted = 1;
    return;
  }
  // Who asks twice does not want to wait.
  ChildProcess::kill_all();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // once this has returned
}

}  // namespace

Interrupts::Interrupts() {
  interrupted = 0;
  struct sigaction action{};
  action.sa_handler = note;
  for (auto& [signal, before] : before_) {
    ::sigaction(signal, &action, &before);
    // nohup(1)
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) ::sigaction(signal, &before, nullptr);
  }
}

Interrupts::~Interrupts() {
  for (const auto& [signal, before] : before_) ::sigaction(signal, &before, nullptr);
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
