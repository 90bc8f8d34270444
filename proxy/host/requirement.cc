#include "proxy/host/requirement.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

#include "proxy/host/driver_version.h"
#include "proxy/oci/ascii.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

using State = RequirementOutcome::State;

constexpr std::string_view prefix = "NVIDIA_REQUIRE_";
constexpr std::size_t variables_limit = 32;    // nvidia-container-cli takes no more
constexpr std::size_t expression_limit = 128;  // an expression that does not hold, as it is printed, with its NUL
constexpr std::size_t message_limit = 400;     // of what an image says, repeated in a message
constexpr std::string_view operator_letters = "<>=!";

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
enum class Truth : std::uint8_t { no, yes, invalid };

constexpr std::array<std::pair<std::string_view, Comparison>, 6> operators{{{"=", Comparison::equal},
                                                                            {"!=", Comparison::not_equal},
                                                                            {"<", Comparison::less},
                                                                            {"<=", Comparison::less_equal},
                                                                            {">", Comparison::greater},
                                                                            {">=", Comparison::greater_equal}}};

Truth truth(bool value) { return value ? Truth::yes : Truth::no; }

std::string_view without_leading(std::string_view text, std::string_view letters) {
  return text.substr(std::min(text.find_first_not_of(letters), text.size()));
}

// Takes a number from the front; nothing when there is none, or none that fits.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// -1, 0 or 1; nothing when one of them is no version. Zeros and dots at the end do not count.
std::optional<int> order(std::string_view a, std::string_view b) {
  constexpr std::string_view allowed = "0123456789.";
  if (a.find_first_not_of(allowed) != a.npos || b.find_first_not_of(allowed) != b.npos) return std::nullopt;
  while (!a.empty() && !b.empty()) {
    const auto first = take_number(a);
    const auto second = take_number(b);
    if (!first || !second) return std::nullopt;
    if (*first != *second) return *first < *second ? -1 : 1;
    a = without_leading(a, ".");
    b = without_leading(b, ".");
  }
  const bool a_goes_on = !without_leading(a, ".0").empty();
  const bool b_goes_on = !without_leading(b, ".0").empty();
  return static_cast<int>(a_goes_on) - static_cast<int>(b_goes_on);
}

Truth compare_versions(std::string_view fact, Comparison comparison, std::string_view value) {
  const auto found = order(fact, value);
  if (!found) return Truth::invalid;
  switch (comparison) {
    case Comparison::equal:
      return truth(*found == 0);
    case Comparison::not_equal:
      return truth(*found != 0);
    case Comparison::less:
      return truth(*found < 0);
    case Comparison::less_equal:
      return truth(*found <= 0);
    case Comparison::greater:
      return truth(*found > 0);
    case Comparison::greater_equal:
      return truth(*found >= 0);
  }
  return Truth::invalid;
}

Truth compare_brands(std::string_view fact, Comparison comparison, std::string_view value) {
  if (comparison == Comparison::equal) return truth(same_without_case(fact, value));
  if (comparison == Comparison::not_equal) return truth(!same_without_case(fact, value));
  return Truth::invalid;
}

Truth compare(std::string_view property, Comparison comparison, std::string_view value, const RequirementFacts& facts) {
  if (same_without_case(property, "brand")) {
    return facts.brand ? compare_brands(*facts.brand, comparison, value) : Truth::yes;
  }
  for (const auto& [name, fact] :
       {std::pair("cuda", &facts.cuda), std::pair("driver", &facts.driver), std::pair("arch", &facts.arch)}) {
    if (same_without_case(property, name)) return *fact ? compare_versions(**fact, comparison, value) : Truth::yes;
  }
  return Truth::invalid;
}

// "driver>=450".
Truth holds(std::string_view expression, const RequirementFacts& facts) {
  const auto at = expression.find_first_of(operator_letters);
  if (at == 0 || at == expression.npos) return Truth::invalid;
  const auto after = std::min(expression.find_first_not_of(operator_letters, at), expression.size());
  const auto written = expression.substr(at, after - at);
  const auto value = expression.substr(after);
  // The beginning of an operator will do there: "!" means "!=".
  const auto found = std::ranges::find_if(operators, [&](const auto& one) { return one.first.starts_with(written); });
  if (found == operators.end() || value.empty()) return Truth::invalid;
  const auto result = compare(expression.substr(0, at), found->second, value, facts);
  if (result == Truth::no && at + found->first.size() + value.size() + 2 >= expression_limit) return Truth::invalid;
  return result;
}

std::string unsatisfied(std::string_view predicate) {
  const std::string first(predicate.substr(0, std::min(predicate.find(' '), message_limit)));
  std::string message = "unsatisfied condition: " + first;
  if (first.starts_with("cuda>=")) {
    message += ", please update your driver to a newer version, or use an earlier cuda container";
  }
  return message;
}

// As Go's strconv.ParseBool.
bool is_true(std::string_view text) {
  constexpr std::array<std::string_view, 6> spellings{"1", "t", "T", "true", "TRUE", "True"};
  return std::ranges::find(spellings, text) != spellings.end();
}

// "12.1.1" is a semantic version, of which the first two numbers count; nothing when it is none.
std::optional<std::string> legacy_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto core = text.substr(0, text.find_first_of("-+"));
  const auto version = DottedVersion::parse(core);
  if (!version || version->size() > 3 || (version->size() < 3 && core != text)) return std::nullopt;
  std::string canonical;  // without leading zeros, which a semantic version may not have
  for (std::size_t at = 0; at < version->size(); ++at) {
    canonical += (at > 0 ? "." : "") + std::to_string(version->field(at));
  }
  if (canonical != core) return std::nullopt;
  return version->major_minor().text();
}

}  // namespace

std::string_view to_string(State state) {
  static constexpr std::array<std::string_view, 5> names{"none", "disabled", "satisfied", "unsatisfied", "invalid"};
  return names.at(static_cast<std::size_t>(state));
}

Requirements requirements_of(const Environment& environment) {
  const auto value = [&](std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  Requirements out;
  out.disabled = is_true(value("NVIDIA_DISABLE_REQUIRE"));
  for (const auto& [name, predicate] : environment) {
    if (name.starts_with(prefix) && !name.starts_with("NVIDIA_REQUIRE_JETPACK")) out.all.push_back({name, predicate});
  }
  if (const auto legacy = value("CUDA_VERSION"); !legacy.empty() && value("NVIDIA_REQUIRE_CUDA").empty()) {
    if (const auto version = legacy_version(legacy)) {
      out.all.push_back({"CUDA_VERSION", "cuda>=" + *version});
    } else {
      out.malformed = "CUDA_VERSION " + quote(legacy) + " is not a version";
    }
  }
  if (out.all.size() > variables_limit) out.malformed = "too many requirements";
  return out;
}

RequirementOutcome evaluate(std::string_view predicate, const RequirementFacts& facts) {
  auto state = Truth::yes;
  for (std::size_t at = 0; at < predicate.size();) {  // alternatives
    const auto end = std::min(predicate.find(' ', at), predicate.size());
    auto alternative = predicate.substr(at, end - at);
    at = end + 1;
    if (alternative.empty()) continue;
    bool decided = false;
    while (!alternative.empty() && !decided) {  // its conditions
      const auto comma = std::min(alternative.find(','), alternative.size());
      const auto expression = alternative.substr(0, comma);
      alternative.remove_prefix(std::min(comma + 1, alternative.size()));
      if (expression.empty()) continue;
      state = holds(expression, facts);
      if (state == Truth::invalid) return {State::invalid, "invalid expression " + quote(expression)};
      decided = state == Truth::no;
    }
    if (!decided) break;
  }
  if (state == Truth::no) return {State::unsatisfied, unsatisfied(predicate)};
  return {State::satisfied, ""};
}

RequirementOutcome evaluate(const Requirements& requirements, const RequirementFacts& facts) {
  if (requirements.disabled) return {State::disabled, ""};
  if (!requirements.malformed.empty()) return {State::invalid, requirements.malformed};
  if (requirements.all.empty()) return {};
  for (const auto& one : requirements.all) {
    auto outcome = evaluate(one.predicate, facts);
    if (outcome.refused()) {
      if (outcome.state == State::invalid) {
        outcome.message = one.variable.substr(0, message_limit) + ": " + outcome.message;
      }
      return outcome;
    }
  }
  return {State::satisfied, ""};
}

}  // namespace paddock
