// What the access log says about one exchange. Of the query only `ns` is shown; headers with secrets never are.
// Pure functions; thread-safe.
#pragma once

#include <spdlog/common.h>
#include <string>

#include "proxy/net/server.h"

namespace paddock {

// "id=7 peer=192.0.2.7:51234 "GET /v2/..." 200 bytes=12 ..."; printable ASCII only.
std::string access_text(const Exchange& exchange);
// The same as members of a JSON object, without the braces around them.
std::string access_json(const Exchange& exchange);
spdlog::level::level_enum access_level(const Exchange& exchange);

}  // namespace paddock
