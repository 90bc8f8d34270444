// What an image's configuration requires of the GPU and its driver, in the language of NVIDIA_REQUIRE_* variables, and
// whether that holds, as the NVIDIA container toolkit decides before it starts a container.
//
//   cuda>=11.8 brand=tesla,driver>=450,driver<451
//
// Space is OR, comma is AND, several variables are ANDed. Properties: cuda (the highest that the driver supports),
// driver, arch (compute capability), brand. Operators = != < <= > >=, of brand = and != alone. What is not known holds.
// Follows libnvidia-container (dsl, configure) to its quirks: read from left to right, what comes after the decision is
// not looked at. Pure; thread-safe; never fails: an expression that cannot be read is refused there, and so here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paddock {

using Environment = std::map<std::string, std::string, std::less<>>;

// Of one GPU; what is absent is not known.
struct RequirementFacts {
  std::optional<std::string> cuda{}, driver{}, arch{}, brand{};
};

struct Requirement {
  std::string variable;  // NVIDIA_REQUIRE_CUDA, or CUDA_VERSION in the legacy form
  std::string predicate;
};

struct Requirements {
  bool disabled = false;  // NVIDIA_DISABLE_REQUIRE
  std::vector<Requirement> all{};
  std::string malformed{};  // why the toolkit refuses the image whatever the GPU; empty: it does not
};

struct RequirementOutcome {
  enum class State : std::uint8_t { none, disabled, satisfied, unsatisfied, invalid };
  State state = State::none;
  std::string message{};  // of the last two, as the container toolkit says it

  [[nodiscard]] bool refused() const { return state == State::unsatisfied || state == State::invalid; }
};

std::string_view to_string(RequirementOutcome::State state);

Requirements requirements_of(const Environment& environment);
RequirementOutcome evaluate(const Requirements& requirements, const RequirementFacts& facts);
// One predicate.
RequirementOutcome evaluate(std::string_view predicate, const RequirementFacts& facts);

}  // namespace paddock
