// Finds the images of a compose file: `image` with the variables of `.env` and their defaults, and what the services'
// Dockerfiles pull with the arguments given here. Specification: the Compose Specification's interpolation rules.
#pragma once

#include "proxy/warm/ci/workspace.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

void scan_compose(const Source& source, const YamlNode& document, Workspace& files);

}  // namespace paddock::ci
