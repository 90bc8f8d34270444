// The command line: `paddock SUBCOMMAND`. Parses, runs, and turns the outcome into an exit status:
// 0 done, 1 failed, 2 usage or configuration error. Errors are one line on stderr that says what to do.
//
// One call a process, from main(). Nothing is thrown.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace paddock {

// The flags of `paddock serve`; what is absent comes from the configuration.
struct ServeOptions {
  std::optional<std::filesystem::path> config;
  std::optional<std::string> data;
  std::vector<std::string> listen;
  std::optional<std::string> admin;
  std::optional<std::string> upstream;  // URL that replaces the default upstream's endpoints
  bool offline = false;
};

// Runs the cache until it is told to stop; returns the exit status.
using ServeFunction = std::function<int(const ServeOptions&)>;

int run_cli(int argc, const char* const* argv, const ServeFunction& serve);
int run_cli(int argc, const char* const* argv, const ServeFunction& serve, std::ostream& out, std::ostream& err);

}  // namespace paddock
