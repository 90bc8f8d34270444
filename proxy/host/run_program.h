// Runs a program that is not ours and may hang or talk without end: what it prints on its standard output, up to a
// limit, within a time. It and what it started are killed when it takes longer.
//
// Blocking; thread-safe. Errors: not_found (no such program), timeout, too_large, unavailable (it ended with another
// status than 0; the message has the beginning of what it said), io.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "storage/error.h"

namespace paddock {

struct ProgramLimits {
  std::chrono::milliseconds patience{10'000};
  std::size_t output = std::size_t{64} * 1024;  // bytes
};

// `arguments` begin with the program, looked for in PATH unless there is a slash in it.
Result<std::string> run_program(const std::vector<std::string>& arguments, ProgramLimits limits = {});

}  // namespace paddock
