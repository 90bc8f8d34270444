// EngineProgram: asks ctr or podman: short questions with their whole answer, and pulls that are followed.
//
// Blocking; for one thread. What is printed is limited. Errors: not_found (no such program), timeout, cancelled, io.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/host/prepull/engine.h"
#include "storage/error.h"

namespace paddock {

struct ProgramAnswer {
  int status = 0;
  std::string output{};
  std::string last_words{};  // on its standard error: why it failed
};

// "NO_PROXY=...", by which a program asks the cache itself: a proxy of this machine is for the way out of it.
std::string no_proxy_for(const Url& cache);

class EngineProgram {
 public:
  // `command`: the program and the options that stand in front of everything.
  explicit EngineProgram(std::vector<std::string> command) : command_(std::move(command)) {}

  [[nodiscard]] Result<ProgramAnswer> ask(const std::vector<std::string>& arguments,
                                          std::chrono::milliseconds patience = std::chrono::minutes(2)) const;

  struct Pull {
    std::vector<std::string> arguments;
    std::vector<std::string> environment{};  // "NAME=value"
    void (*take)(std::string_view line, PullProgress& progress);
    bool terminal = false;  // it tells of its progress only there
  };
  // Until it has ended well. unavailable: it has not; its last words say why.
  [[nodiscard]] Result<void> follow(const Pull& pull, PullWatch& watch) const;
  [[nodiscard]] const std::string& name() const { return command_.front(); }

 private:
  [[nodiscard]] std::vector<std::string> with(const std::vector<std::string>& arguments) const;
  std::vector<std::string> command_;
};

}  // namespace paddock
