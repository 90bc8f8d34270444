// Says which CI system a file is for, by what it holds; its name only helps. Pure; thread-safe.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "proxy/warm/ci/report.h"
#include "proxy/warm/ci/yaml_tree.h"

namespace paddock::ci {

enum class Look : std::uint8_t { yaml, helm_template, jenkinsfile, dockerfile, shell, markdown };

// What a file has to be read as; nothing: of no interest.
std::optional<Look> look_at(const std::filesystem::path& path, std::string_view text);
// Whether a file of this name is worth opening at all.
bool may_be_ci_file(const std::filesystem::path& path);
// Whether its name alone says that it should be understood: then it is worth saying why it is not.
bool has_telling_name(const std::filesystem::path& path);
// Of a YAML document; nothing: none that is understood.
std::optional<Format> recognise_yaml(const std::filesystem::path& path, const YamlNode& document);

}  // namespace paddock::ci
