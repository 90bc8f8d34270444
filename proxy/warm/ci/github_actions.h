// Finds the images of GitHub Actions workflows and actions: job containers, services, docker:// steps, and the commands
// in `run`. Matrices, env, inputs' defaults and what workflows of the same repository pass to each other are filled in.
// Specification: GitHub's "Workflow syntax" and "Metadata syntax".
#pragma once

#include "proxy/warm/ci/workspace.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

void scan_github(const Source& source, const YamlNode& document, Workspace& files);

}  // namespace paddock::ci
