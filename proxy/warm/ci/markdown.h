// Finds the images in a Markdown file's commands: fenced and indented code, and code in a line. Single-threaded.
#pragma once

#include "proxy/warm/ci/collector.h"
#include "proxy/warm/ci/workspace.h"

namespace paddock::ci {

void scan_markdown(const Source& source, Collector& collector);

}  // namespace paddock::ci
