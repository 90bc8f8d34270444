// Finds the images in Kubernetes objects and custom resources: every `image` of containers, steps and templates, with
// Tekton's $(params.x) and Argo's {{inputs.parameters.x}} filled in where the object itself says what they are.
#pragma once

#include "proxy/warm/ci/workspace.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

void scan_kubernetes(const Source& source, const YamlNode& document, Workspace& files,
                     Format format = Format::kubernetes);

}  // namespace paddock::ci
