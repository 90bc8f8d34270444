// Finds the images of a Jenkinsfile: agent { docker ... } with registryUrl, docker.image(...), container templates, pod
// YAML, and the commands in sh steps, with the values that environment, parameters, matrix axes and assignments give.
// It reads Groovy's words, not its meaning: what needs running to know is reported as unresolved.
#pragma once

#include "proxy/warm/ci/workspace.h"

namespace paddock::ci {

void scan_jenkinsfile(const Source& source, Workspace& files);

}  // namespace paddock::ci
