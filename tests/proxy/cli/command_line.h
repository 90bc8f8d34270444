// Runs the command line in this process and keeps what it said.
#pragma once

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "proxy/cli/cli.h"

namespace paddock::test {

struct Outcome {
  int status = -1;
  std::string out, err;
};

inline Outcome paddock(
    std::vector<std::string> arguments, const ServeFunction& serve = [](const auto&) { return 99; }) {
  std::vector<const char*> argv{"paddock"};
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out, err;
  Outcome outcome;
  outcome.status = run_cli(static_cast<int>(argv.size()), argv.data(), serve, out, err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

// One line that begins with "paddock: ".
inline bool is_one_line(const std::string& err) {
  return err.starts_with("paddock: ") && err.find('\n') == err.size() - 1;
}

// A variable of the environment, for as long as this lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_.c_str()); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
};

}  // namespace paddock::test
