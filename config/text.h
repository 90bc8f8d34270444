// Small things that configuration errors are made of. Pure; thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace paddock::config {

std::string cat(std::initializer_list<std::string_view> parts);
// In single quotes, on one line, cut at 60 bytes, without the user information of a URL.
std::string quote(std::string_view text);
bool is_utf8(std::string_view text);
// The candidate with the fewest edits (neighbours swapped count as one), or nothing when none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& candidates);
// " (did you mean 'x'?)" or nothing.
std::string suggestion(std::string_view text, const std::vector<std::string>& candidates);

}  // namespace paddock::config
