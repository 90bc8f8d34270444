#include <memory>

#include "proxy/cli/command.h"

namespace paddock {

void add_serve_command(CLI::App& app, Console& console, const ServeFunction& serve) {
  auto* command = app.add_subcommand("serve", "Run the cache (flags win over the configuration file)");
  const auto options = std::make_shared<ServeOptions>();
  command->add_option("--config", options->config, "Configuration file (YAML)")->envname("PADDOCK_CONFIG");
  command->add_option("--data", options->data, "Folder for the stored content");
  command->add_option("--listen", options->listen, "Address for registry clients, host:port; may be repeated");
  command->add_option("--admin", options->admin, "Address for the API, metrics and health checks");
  command->add_option("--upstream", options->upstream, "URL that replaces the default upstream's endpoints");
  command->add_flag("--offline", options->offline, "Serve what is stored, ask no upstream");
  command->callback([&console, &serve, options] { console.status = serve(*options); });
}

}  // namespace paddock
