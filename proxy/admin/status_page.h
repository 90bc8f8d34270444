// The page at `/` of the admin address: the status report for people, plain HTML without scripts.
// Pure; thread-safe. Everything in it is escaped.
#pragma once

#include <string>

#include "proxy/admin/reports.h"

namespace paddock {

std::string status_page(const StatusReport& report);

}  // namespace paddock
