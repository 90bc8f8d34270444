// How far two words are apart, for "did you mean". Pure; thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace paddock {

// Letters put in, left out, replaced, or swapped with their neighbour. Takes time in proportion to both lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

// With more edits than letters kept, it is another word.
bool is_near(std::string_view a, std::string_view b, std::size_t edits);

// " (did you mean 'x'?)", or nothing when no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace paddock
