// Readings: what a text of a CI file can mean once its variables are filled in. A matrix or a loop gives several, and
// what cannot be known carries the reason. Pure; thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/ci/report.h"

namespace paddock::ci {

struct Unknown {
  UnresolvedKind kind = UnresolvedKind::unset_variable;
  std::string reason;
};

struct Reading {
  std::string text;
  std::optional<Unknown> unknown{};  // set: there is no text

  static Reading not_known(UnresolvedKind kind, std::string reason) { return {"", Unknown{kind, std::move(reason)}}; }
};
using Readings = std::vector<Reading>;

// A variable's values; nothing: nobody sets it.
using Lookup = std::function<std::optional<Readings>(std::string_view name)>;

enum class Dialect : std::uint8_t {
  gitlab,      // $X ${X}, $$
  compose,     // ... ${X:-y} ${X-y} ${X:?e} ${X:+y}, $$
  dockerfile,  // the same, without $$
  shell,       // the same, $1 $@ $(command), other operators known to be beyond us
};

inline constexpr std::size_t readings_limit = 512;  // of one text; beyond it one reading says so
// Stands for a '$' that no variable begins with: quoted, or escaped.
inline constexpr char literal_dollar = '\x01';

// A variable has the same value wherever the text names it.
Readings expand_variables(std::string_view text, Dialect dialect, const Lookup& lookup);

// Texts such as "paddle:${{ matrix.tag }}": `evaluate` is asked for what stands between the marks, without its blanks.
using Evaluate = std::function<Readings(std::string_view inner)>;
Readings expand_marked(std::string_view text, std::string_view open, std::string_view close, const Evaluate& evaluate);

// What the expansions of a file may cost together: values that multiply end as unknown, before they take time and
// memory.
class ExpansionBudget {
 public:
  // What `expand` gives, or, once all is spent, a reading that says so.
  template <typename Expand>
  Readings within(const Expand& expand) {
    if (left_ == 0) return {Reading::not_known(UnresolvedKind::too_many, "more values than are looked at in a file")};
    Readings readings = expand();
    for (const Reading& reading : readings) {
      const std::size_t reason = reading.unknown ? reading.unknown->reason.size() : 0;
      left_ -= std::min(left_, sizeof(Reading) + reading.text.size() + reason);
    }
    return readings;
  }

 private:
  std::size_t left_ = 128U << 20U;  // bytes
};

Reading not_set(std::string_view name);
bool is_name(std::string_view text);  // [A-Za-z_][A-Za-z0-9_]*
std::string_view trimmed(std::string_view text);

// As C++23's std::ranges::contains, which libstdc++ 12 lacks.
template <typename Range, typename Value, typename Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

}  // namespace paddock::ci
