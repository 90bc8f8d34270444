// Finds the images of Helm charts: in values, where registry, repository and tag stand apart, and in templates, whose
// expressions over the chart's own values are evaluated as far as they are simple.
#pragma once

#include "proxy/warm/ci/workspace.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

void scan_helm_values(const Source& source, const YamlNode& document, Collector& collector);
void scan_helm_template(const Source& source, Workspace& files);

}  // namespace paddock::ci
