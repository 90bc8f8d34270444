// Loads a configuration: defaults < file < environment < flags, then checks the whole.
//
// All problems are collected: the error's context has a line for each, "paddock.yaml:12: unknown key 'tag_tll' (did you
// mean 'tag_ttl'?)". Errors: invalid_argument; not_found, denied or io when the file cannot be read. Blocking (reads a
// file); thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/environment.h"
#include "config/options.h"
#include "config/validate.h"
#include "storage/error.h"

namespace paddock::config {

struct Sources {
  std::optional<std::filesystem::path> file;  // absent: built-in defaults
  Environment environment;
  std::function<void(Config&)> flags;  // applied last, before the whole is checked
};

Result<Config> load(const Sources& sources);
Result<Config> load(const std::filesystem::path& file);
Result<Config> load_text(std::string_view text, const std::string& name);
// `config` with what the environment says, checked.
Result<Config> apply_environment(Config config, const Environment& environment);

}  // namespace paddock::config
