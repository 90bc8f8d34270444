// Finds the images of a GitLab pipeline: image and services of each job as it finally runs, and the commands in its
// scripts, with the variables of the job, its matrix and its rules. What a hidden job says and no job uses counts too.
// Specification: GitLab's CI/CD YAML syntax reference.
#pragma once

#include <filesystem>
#include <vector>

#include "proxy/warm/ci/gitlab_include.h"

namespace paddock::ci {

// `parts` as load_gitlab() gives them.
void scan_gitlab(std::vector<GitlabPart> parts, Workspace& files);

}  // namespace paddock::ci
