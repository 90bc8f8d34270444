#include "proxy/cli/command.h"
#include "proxy/cli/version.h"

namespace paddock {

void add_version_command(CLI::App& app, Console& console) {
  auto* command = app.add_subcommand("version", "Say what this build is");
  command->callback([&console] {
    console.out << "paddock " << build_version();
    if (!build_commit().empty()) console.out << " (" << build_commit() << ")";
    console.out << ", " << build_compiler() << "\n";
  });
}

}  // namespace paddock
