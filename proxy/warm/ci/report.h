// What a scan of CI files found: images, what could not be resolved, and what was wrong with the files.
//
// Values, without behaviour of their own; thread-safe as values are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paddock::ci {

enum class Format : std::uint8_t {
  gitlab_ci,
  github_actions,
  jenkinsfile,
  compose,
  kubernetes,  // with Tekton, Argo and custom resources
  helm,        // values and templates
  dockerfile,
  shell,
  markdown,
};
std::string_view to_string(Format format);  // "gitlab-ci"

struct Place {
  std::string file;   // as the paths given to the scan lead to it
  int line = 0;       // from 1
  std::string where;  // the job, service, container or stage; may be empty
  Format format = Format::shell;
};

struct ImageFinding {
  std::string reference;  // for a client: "docker.io/library/redis:7", with registry, and tag or digest
  std::string name;       // with its variables filled in: "redis:7"
  std::string written;    // as it stands there: "redis:$VERSION"
  Place place;
};

enum class UnresolvedKind : std::uint8_t {
  unset_variable,  // nothing in the file gives it a value
  run_time,        // known only when the job runs
  job_output,      // what another job or step says
  generated,       // a pipeline that another job writes
  image_id,        // an id of an image on one machine
  built_here,      // made by the file itself, not pulled
  no_tag,          // Helm values without a tag: the chart decides
  expression,      // valid, but not evaluated here
  not_a_name,      // what remains is no image name: a place holder
  too_many,        // more combinations than are looked at
};
std::string_view to_string(UnresolvedKind kind);  // "unset-variable"

struct Unresolved {
  std::string text;  // as it stands there
  UnresolvedKind kind = UnresolvedKind::unset_variable;
  std::string reason;  // a sentence for a person, without a final full stop
  Place place;
};

struct Problem {
  std::string file;
  int line = 0;         // 0: the whole file
  std::string message;  // what is wrong, and what to do
};

// In the order of files and lines.
struct ScanReport {
  std::vector<ImageFinding> findings;
  std::vector<Unresolved> unresolved;
  std::vector<Problem> problems;
  std::size_t files = 0;  // how many were understood as CI files
};

// The first finding of each reference, in the report's order.
std::vector<ImageFinding> unique_images(const ScanReport& report);

}  // namespace paddock::ci
