#include "proxy/warm/ci/report.h"

#include <set>

namespace paddock::ci {

std::string_view to_string(Format format) {
  switch (format) {
    case Format::gitlab_ci:
      return "gitlab-ci";
    case Format::github_actions:
      return "github-actions";
    case Format::jenkinsfile:
      return "jenkinsfile";
    case Format::compose:
      return "compose";
    case Format::kubernetes:
      return "kubernetes";
    case Format::helm:
      return "helm";
    case Format::dockerfile:
      return "dockerfile";
    case Format::shell:
      return "shell";
    case Format::markdown:
      return "markdown";
  }
  return "unknown";
}

std::string_view to_string(UnresolvedKind kind) {
  switch (kind) {
    case UnresolvedKind::unset_variable:
      return "unset-variable";
    case UnresolvedKind::run_time:
      return "run-time";
    case UnresolvedKind::job_output:
      return "job-output";
    case UnresolvedKind::generated:
      return "generated";
    case UnresolvedKind::image_id:
      return "image-id";
    case UnresolvedKind::built_here:
      return "built-here";
    case UnresolvedKind::no_tag:
      return "no-tag";
    case UnresolvedKind::expression:
      return "expression";
    case UnresolvedKind::not_a_name:
      return "not-a-name";
    case UnresolvedKind::too_many:
      return "too-many";
  }
  return "unknown";
}

std::vector<ImageFinding> unique_images(const ScanReport& report) {
  std::set<std::string_view> seen;
  std::vector<ImageFinding> images;
  for (const ImageFinding& finding : report.findings) {
    if (seen.insert(finding.reference).second) images.push_back(finding);
  }
  return images;
}

}  // namespace paddock::ci
