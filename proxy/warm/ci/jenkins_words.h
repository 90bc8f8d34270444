// What words and texts of a Jenkinsfile mean to Jenkins itself. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace paddock::ci {

// A variable that Jenkins sets when the job runs: BUILD_NUMBER, GIT_COMMIT.
bool is_set_by_jenkins(std::string_view name);
// A step whose text is a script.
bool is_shell_step(std::string_view step);
// The registry in "https://registry:5000/v2/" as it stands in front of names.
std::string registry_of(std::string_view url);
// ${env.X} and ${params.X} are ${X}.
std::string without_scopes(std::string_view text);

}  // namespace paddock::ci
