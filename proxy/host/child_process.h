// ChildProcess: a program that is not ours, started without a shell between, reading nothing from us. In a process
// group of its own, so that what it started can be ended with it; it is, when this goes.
//
// For one thread; kill_all() for whom it may.
#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace paddock {

class ChildProcess {
 public:
  struct Start {
    std::vector<std::string> arguments;      // begin with the program, found in PATH unless there is a '/' in it
    std::vector<std::string> environment{};  // "NAME=value" that it has besides ours, or in their place
    int output = -1, errors = -1;            // descriptors that it writes to; below zero: nowhere
    std::chrono::milliseconds goodbye{0};    // between SIGTERM and SIGKILL; 0: SIGKILL at once
    bool by_descriptor = true;               // pidfd_open(2) tells of its end; false: as where there is none
  };

  explicit ChildProcess(const Start& start);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] int error() const { return error_; }  // an errno; 0: it was started
  // Whether it has ended before `deadline`; it may have closed its output long before.
  [[nodiscard]] bool ends_before(std::chrono::steady_clock::time_point deadline) const;
  int wait();  // as waitpid(2) has it
  // SIGKILL to the groups of those that are running, for a process that dies of a signal itself. May be called by a
  // signal handler. Of many at the same time it knows the first only.
  static void kill_all() noexcept;

 private:
  ::pid_t pid_ = 0;
  int error_ = 0;
  bool reaped_ = false;
  std::chrono::milliseconds goodbye_;
  bool by_descriptor_;
};

// Whether there is something to be read, or the end of it, before `deadline`.
bool readable_before(std::chrono::steady_clock::time_point deadline, int fd);

}  // namespace paddock
