// What the files of the subcommands share. Each add_*_command() puts one subcommand into the parser; its action sets
// `Console::status`.
#pragma once

#include <CLI/CLI.hpp>
#include <ostream>
#include <string>

#include "proxy/cli/cli.h"
#include "storage/error.h"

namespace paddock {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

struct Console {
  std::ostream& out;
  std::ostream& err;
  int status = exit_done;

  // Prints the text, or one line "paddock: ..." on stderr; invalid_argument is a usage error.
  void finish(const Result<std::string>& outcome);
};

void add_serve_command(CLI::App& app, Console& console, const ServeFunction& serve);
void add_status_command(CLI::App& app, Console& console);
void add_images_command(CLI::App& app, Console& console);
void add_warm_command(CLI::App& app, Console& console);
void add_pin_commands(CLI::App& app, Console& console);
void add_jobs_command(CLI::App& app, Console& console);
void add_config_command(CLI::App& app, Console& console);
void add_scan_command(CLI::App& app, Console& console);
void add_version_command(CLI::App& app, Console& console);
void add_doctor_command(CLI::App& app, Console& console);
void add_ca_command(CLI::App& app, Console& console);
void add_prepull_command(CLI::App& app, Console& console);
void add_client_config_command(CLI::App& app, Console& console);

}  // namespace paddock
