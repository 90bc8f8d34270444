// The expressions of GitHub Actions, ${{ ... }}, as far as they name images: contexts, literals, ||, &&, ==, !=, !,
// brackets and format(). Specification: GitHub's "Evaluate expressions". Pure; nesting is limited to 16.
#pragma once

#include <functional>
#include <string_view>

#include "proxy/warm/ci/reading.h"

namespace paddock::ci {

// The value of a context such as "matrix.cuda"; an empty text is falsy.
using Context = std::function<Reading(std::string_view path)>;

Reading evaluate_github(std::string_view expression, const Context& context);

}  // namespace paddock::ci
