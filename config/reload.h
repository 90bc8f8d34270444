// What a running server may take over from a configuration that was read anew. Which settings can is said once, in the
// schema, so that a setting that cannot is never passed over in silence. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "config/options.h"

namespace paddock::config {

struct ReloadPlan {
  Config config;                     // the running one with what can be taken over
  std::vector<std::string> taken;    // settings that change now
  std::vector<std::string> restart;  // settings that changed and need a restart
};

ReloadPlan plan_reload(Config running, Config loaded);

}  // namespace paddock::config
