#include <memory>
#include <nlohmann/json.hpp>

#include "proxy/cli/command.h"
#include "proxy/cli/version.h"

namespace paddock {

void add_version_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("version", "Say what this build is");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "Print an object");
  command->callback([&console, as_json] {
    if (*as_json) {
      const nlohmann::ordered_json version{
          {"version", build_version()}, {"commit", build_commit()}, {"compiler", build_compiler()}};
      console.out << version.dump(2) << "\n";
      return;
    }
    console.out << "paddock " << build_version();
    if (!build_commit().empty()) console.out << " (" << build_commit() << ")";
    console.out << ", " << build_compiler() << "\n";
  });
}

}  // namespace paddock
