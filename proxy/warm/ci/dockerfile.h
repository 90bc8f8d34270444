// Finds the images that a Dockerfile's build pulls: FROM, COPY --from, RUN --mount=from and the "# syntax=" line.
// Specification: the Dockerfile reference of BuildKit. Single-threaded.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "proxy/warm/ci/collector.h"
#include "proxy/warm/ci/workspace.h"

namespace paddock::ci {

using BuildArguments = std::map<std::string, Readings, std::less<>>;

// `arguments` override the defaults of ARG; `whose` is said in front of the stage ("service web").
void scan_dockerfile(std::string_view text, const Source& source, int first_line, const BuildArguments& arguments,
                     std::string_view whose, Collector& collector);

}  // namespace paddock::ci
