// Reads YAML into a schema, strictly: unknown and repeated keys and wrong types are problems with their line.
// Hostile or broken text costs bounded time and memory. Not thread-safe; never throws.
#pragma once

#include <string>
#include <string_view>

#include "config/report.h"
#include "config/schema.h"

namespace paddock::config {

// `name` is put in front of the line numbers.
void read_yaml(std::string_view text, const std::string& name, const Schema& schema, Report& report);
// A list of mappings given as one text (YAML or JSON); replaces what is there.
void read_yaml_list(std::string_view text, const std::string& name, const ListField& list, Report& report);

}  // namespace paddock::config
