// Runs a program that takes long and tells of it: each line that it prints is handed on as it comes.
//
// Blocking; thread-safe. Once `go_on` says no, the program and what it started are asked to end (SIGTERM) and killed a
// little later. Errors: not_found (no such program), unavailable (it cannot be started), cancelled (`go_on`), io.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"

namespace paddock {

struct WatchedProgram {
  std::vector<std::string> arguments;      // begin with the program, as in run_program()
  std::vector<std::string> environment{};  // "NAME=value", besides ours or in their place
  // Lines of its standard output and its standard error, without their ends, cut at 64 KiB.
  std::function<void(std::string_view)> output{}, errors{};
  // It is to think that it speaks to a terminal, as some tell of their progress only there. Both streams are `output`
  // then, with what moves a cursor in them. Where there are no terminals to be had it is as without.
  bool terminal = false;
  std::function<bool()> go_on = [] { return true; };  // asked several times a second
};

// Its exit status; 128 and the signal's number where it died of one.
Result<int> watch_program(const WatchedProgram& program);

}  // namespace paddock
