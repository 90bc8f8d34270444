// scan_paths: every image that CI files name, below files and folders.
//
// Understood: GitLab CI, GitHub Actions, Jenkinsfile, compose, Kubernetes (Tekton, Argo, custom resources), Helm,
// Dockerfile, shell, Markdown; deploy/docs/ci-files.md says what of each. Files are hostile: time and memory are
// bounded by the options, and whatever is wrong with one of them is a problem in the report, never a failure. Nothing
// is run, asked for over the network or taken from the environment. Blocks on the disk; may be called by several
// threads.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "proxy/warm/ci/report.h"
#include "proxy/warm/ci/walk.h"

namespace paddock::ci {

struct ScanOptions {
  std::size_t file_limit = 2U << 20U;   // bytes; larger files are left out
  std::size_t entries_limit = 200'000;  // files and folders below one path
  std::size_t findings_limit = 20'000;  // images and unresolved ones together
  ListFolder list = list_folder;
};

ScanReport scan_paths(const std::vector<std::filesystem::path>& paths, const ScanOptions& options = {});

}  // namespace paddock::ci
