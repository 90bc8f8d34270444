#include "proxy/warm/ci/jenkins_words.h"

#include <cstddef>

namespace paddock::ci {

using std::string_view;

bool is_set_by_jenkins(string_view name) {
  return name.starts_with("BUILD_") || name.starts_with("JOB_") || name.starts_with("GIT_") ||
         name.starts_with("CHANGE_") || name == "BRANCH_NAME" || name == "WORKSPACE" || name == "NODE_NAME" ||
         name == "TAG_NAME";
}

bool is_shell_step(string_view step) { return step == "sh" || step == "bat" || step == "powershell" || step == "pwsh"; }

std::string registry_of(string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme != string_view::npos) url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

std::string without_scopes(string_view text) {
  std::string plain(text);
  for (const string_view prefix : {"${env.", "${params."}) {
    for (std::size_t at = plain.find(prefix); at != std::string::npos; at = plain.find(prefix, at)) {
      plain.replace(at, prefix.size(), "${");
    }
  }
  return plain;
}

}  // namespace paddock::ci
