#include <algorithm>
#include <iterator>
#include <memory>
#include <string>

#include "config/yaml_loader.h"
#include "proxy/cli/command.h"
#include "proxy/cli/config_files.h"
#include "proxy/cli/format.h"
#include "proxy/cli/warm_rules.h"

namespace paddock {
namespace {

// A line for each problem, as the loader gives them.
void print_lines(std::ostream& err, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) err << printable(text.substr(0, end)) << "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// As `paddock serve` would see it: the environment counts too.
int check(const std::string& file, Console& console) {
  const auto loaded = config::load({.file = file, .environment = config::process_environment(), .flags = {}});
  if (!loaded) {
    print_lines(console.err, loaded.error().context);
    return exit_usage;
  }
  for (const auto& doubt : config::doubts(*loaded)) {
    console.err << printable(file) << ": warning: " << printable(doubt) << "\n";
  }
  auto problems = file_problems(*loaded);
  std::ranges::move(rule_problems(*loaded), std::back_inserter(problems));
  for (const auto& problem : problems) {
    console.err << printable(file) << ": " << printable(problem) << "\n";
  }
  if (!problems.empty()) return exit_usage;
  console.out << printable(file) << ": ok\n";
  return exit_done;
}

}  // namespace

void add_config_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("config", "Work with configuration files");
  command->require_subcommand(1);
  auto* check_command = command->add_subcommand(
      "check", "Check a configuration file, the files it names, and the environment's overrides");
  const auto file = std::make_shared<std::string>();
  check_command->add_option("file", *file, "Configuration file (YAML)")->required();
  check_command->callback([&console, file] { console.status = check(*file, console); });
}

}  // namespace paddock
