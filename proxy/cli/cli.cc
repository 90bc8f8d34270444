#include "proxy/cli/cli.h"

#include <exception>
#include <iostream>
#include <string>

#include "proxy/cli/command.h"
#include "proxy/cli/format.h"

namespace paddock {
namespace {

// CLI11's messages may have several lines; the first says what is wrong.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  message.resize(std::min(message.find('\n'), message.size()));
  std::string help = "paddock";
  for (const auto* used : app.get_subcommands()) help += " " + used->get_name();
  return "paddock: " + printable(message) + " (see " + help + " --help)";
}

int parse_and_run(CLI::App& app, int argc, const char* const* argv, Console& console) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help, which CLI11 prints
    return app.exit(help, console.out, console.err) == 0 ? exit_done : exit_usage;
  } catch (const CLI::ParseError& error) {
    console.err << usage_error(app, error) << "\n";
    return exit_usage;
  }
  if (app.get_subcommands().empty()) {
    console.err << app.help();
    return exit_usage;
  }
  return console.status;
}

}  // namespace

void Console::finish(const Result<std::string>& outcome) {
  if (outcome) {
    out << *outcome << std::flush;
    return;
  }
  const bool usage = outcome.error().code == ErrorCode::invalid_argument;
  err << "paddock: " << printable(outcome.error().context) << "\n";
  status = usage ? exit_usage : exit_failed;
}

int run_cli(int argc, const char* const* argv, const ServeFunction& serve) {
  return run_cli(argc, argv, serve, std::cout, std::cerr);
}

int run_cli(int argc, const char* const* argv, const ServeFunction& serve, std::ostream& out, std::ostream& err) {
  Console console{out, err};
  try {
    CLI::App app("A pull-through cache for container images.", "paddock");
    add_serve_command(app, console, serve);
    add_status_command(app, console);
    add_images_command(app, console);
    add_warm_command(app, console);
    add_jobs_command(app, console);
    add_pin_commands(app, console);
    add_ca_command(app, console);
    add_config_command(app, console);
    add_scan_command(app, console);
    add_prepull_command(app, console);
    add_doctor_command(app, console);
    add_client_config_command(app, console);
    add_version_command(app, console);
    return parse_and_run(app, argc, argv, console);
  } catch (const std::exception& bug) {
    err << "paddock: " << printable(bug.what()) << "\n";
    return exit_failed;
  }
}

}  // namespace paddock
