// Puts a GitLab pipeline together from its file and the local files that it includes. Files of elsewhere are not read:
// each is a problem that says so. Single-threaded; reads the disk.
// Specification: GitLab's CI/CD YAML syntax reference, `include` and `spec`.
#pragma once

#include <vector>

#include "proxy/warm/ci/env_file.h"
#include "proxy/warm/ci/workspace.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

struct GitlabPart {
  const Source* source;
  const YamlNode* document;
  Variables inputs;  // of `spec: inputs`, with what the including file gives
};

// Later parts win over earlier ones; the file itself is the last.
std::vector<GitlabPart> load_gitlab(const Source& source, Workspace& files);

// "*" within a folder's names, "**" across folders.
bool matches_glob(std::string_view path, std::string_view pattern);

}  // namespace paddock::ci
