// Configuration from environment variables: PADDOCK_SERVER_LISTEN sets server.listen, PADDOCK_UPSTREAMS_0_NAME the name
// of the first upstream (the index after the last appends one), PADDOCK_UPSTREAMS the whole list as YAML or JSON.
// Lists of texts are separated by commas. A variable of that prefix that means nothing is a problem,
// but for those that Kubernetes makes for a service called paddock.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/report.h"
#include "config/schema.h"

namespace paddock::config {

using Environment = std::map<std::string, std::string>;

// The PADDOCK_ variables of this process. Not safe while another thread changes the environment.
Environment process_environment();

// "server.tls.key" -> "PADDOCK_SERVER_TLS_KEY".
std::string variable_name(std::string_view path);

void read_environment(const Environment& environment, const Schema& schema, Report& report);

}  // namespace paddock::config
