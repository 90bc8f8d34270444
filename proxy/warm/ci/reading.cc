#include "proxy/warm/ci/reading.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "proxy/oci/ascii.h"

namespace paddock::ci {
namespace {

constexpr int depth_limit = 8;            // defaults within defaults
constexpr std::size_t names_limit = 256;  // different ones in a text
constexpr std::size_t text_limit = 4096;  // of one reading; no name is that long

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// A text in the making, and the values taken for the names met so far.
struct Partial {
  std::string text;
  std::vector<std::pair<std::string, Reading>> chosen;
  std::optional<Unknown> unknown;
};

class Partials {
 public:
  void append(std::string_view text) {
    for (Partial& partial : partials_) add(partial, text);
  }

  [[nodiscard]] bool knows(std::string_view key) const {
    return contains(partials_.front().chosen, key, &std::pair<std::string, Reading>::first);
  }

  // Each partial once with each reading; `key` makes later ones of the same name agree, whatever they offer.
  void fork(std::string_view key, const Readings& readings) {
    if (partials_.front().chosen.size() >= names_limit) return overflow();
    const Readings nothing{not_set(key)};  // an empty list
    std::vector<Partial> next;
    for (Partial& partial : partials_) {
      const auto known = std::ranges::find(partial.chosen, key, &std::pair<std::string, Reading>::first);
      if (known != partial.chosen.end()) {
        take(partial, Reading(known->second));
        next.push_back(std::move(partial));
        continue;
      }
      for (const Reading& reading : readings.empty() ? nothing : readings) {
        if (next.size() >= readings_limit) return overflow();
        Partial forked = partial;
        forked.chosen.emplace_back(key, reading);
        take(forked, reading);
        next.push_back(std::move(forked));
      }
    }
    partials_ = std::move(next);
  }

  Readings finish() && {
    Readings readings;
    for (Partial& partial : partials_) readings.push_back({std::move(partial.text), std::move(partial.unknown)});
    return readings;
  }

 private:
  static void add(Partial& partial, std::string_view text) {
    if (partial.text.size() + text.size() <= text_limit) {
      partial.text.append(text);
    } else if (!partial.unknown) {
      partial.unknown = Unknown{UnresolvedKind::expression, "longer than 4096 bytes with its variables filled in"};
    }
  }
  static void take(Partial& partial, const Reading& reading) {
    add(partial, reading.text);
    if (reading.unknown && !partial.unknown) partial.unknown = reading.unknown;
  }
  void overflow() {
    partials_.assign(1, {});
    partials_.front().unknown =
        Unknown{UnresolvedKind::too_many, "more than " + std::to_string(readings_limit) + " combinations"};
  }

  std::vector<Partial> partials_ = std::vector<Partial>(1);
};

// The end of "{...}" that begins at `open`, or npos.
std::size_t closing(std::string_view text, std::size_t open, char opener, char closer) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == opener) ++depth;
    if (text[i] == closer && --depth == 0) return i;
  }
  return std::string_view::npos;
}

class Expander {
 public:
  Expander(Dialect dialect, const Lookup& lookup, int depth) : dialect_(dialect), lookup_(lookup), depth_(depth) {}

  Readings expand(std::string_view text) {
    if (depth_ > depth_limit) return {Reading::not_known(UnresolvedKind::expression, "defaults are nested too deep")};
    while (!text.empty()) {
      const std::size_t special = std::min(text.find_first_of("$`"), text.size());
      partials_.append(text.substr(0, special));
      text.remove_prefix(special);
      if (!text.empty()) text.remove_prefix(dollar(text));
    }
    return std::move(partials_).finish();
  }

 private:
  // Takes one variable, or a sign that is none; returns the bytes used.
  std::size_t dollar(std::string_view text) {
    const bool shell = dialect_ == Dialect::shell;
    if (text.front() == '`') {
      if (!shell) return literal("`", 1);
      const std::size_t end = std::min(text.find('`', 1), text.size() - 1);
      return command(end + 1);
    }
    if (text.size() == 1) return literal("$", 1);
    const char next = text[1];
    if (next == '$' && (dialect_ == Dialect::gitlab || dialect_ == Dialect::compose)) return literal("$", 2);
    if (next == '{') return braces(text);
    if (next == '(' && shell) {
      const std::size_t end = closing(text, 1, '(', ')');
      return command(end == std::string_view::npos ? text.size() : end + 1);
    }
    std::size_t end = 1;
    if (is_letter(next)) {
      while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) ++end;
    } else if (shell && (is_digit(next) || std::string_view("@*#?!-$").contains(next))) {
      end = 2;
    } else {
      return literal("$", 1);
    }
    const std::string_view name = text.substr(1, end - 1);
    partials_.fork(name, partials_.knows(name) ? Readings() : values(name));
    return end;
  }

  std::size_t literal(std::string_view text, std::size_t used) {
    partials_.append(text);
    return used;
  }

  std::size_t command(std::size_t used) {
    partials_.fork("$(", {Reading::not_known(UnresolvedKind::run_time, "a command's output, known when it has run")});
    return used;
  }

  std::size_t braces(std::string_view text) {
    const std::size_t end = closing(text, 1, '{', '}');
    if (end == std::string_view::npos) {
      partials_.fork(text, {Reading::not_known(UnresolvedKind::expression, "a '${' without its '}'")});
      return text.size();
    }
    const std::string_view inner = text.substr(2, end - 2);
    partials_.fork(inner, partials_.knows(inner) ? Readings() : operation(inner));
    return end + 1;
  }

  Readings operation(std::string_view inner) {
    std::size_t length = 0;
    while (length < inner.size() && (is_letter(inner[length]) || is_digit(inner[length]))) ++length;
    if (length == 0 && dialect_ == Dialect::shell && inner.size() == 1) length = 1;  // ${@}
    const std::string_view name = inner.substr(0, length);
    std::string_view rest = inner.substr(length);
    if (rest == "[@]" || rest == "[*]") rest = {};
    if (name.empty()) return beyond(inner);
    if (rest.empty()) return values(name);
    if (dialect_ == Dialect::gitlab) return beyond(inner);
    const bool empty_too = rest.starts_with(':');
    if (empty_too) rest.remove_prefix(1);
    if (rest.empty() || !std::string_view("-=?+").contains(rest.front())) return beyond(inner);
    return choose(name, rest.front(), rest.substr(1), empty_too);
  }

  Readings choose(std::string_view name, char operation, std::string_view other, bool empty_too) {
    const auto found = lookup_(name);
    if (!found) {
      if (operation == '?') return {not_set(name)};
      return operation == '+' ? Readings{{""}} : nested(other);
    }
    Readings out;
    for (const Reading& reading : *found) {
      const bool set = reading.unknown || !reading.text.empty() || !empty_too;
      if (set && operation != '+') {
        out.push_back(reading);
      } else if (set || operation == '-' || operation == '=') {
        std::ranges::copy(nested(other), std::back_inserter(out));
      } else {
        out.push_back(operation == '+' ? Reading{""} : not_set(name));
      }
      if (out.size() > readings_limit) break;
    }
    return out;
  }

  Readings nested(std::string_view text) { return Expander(dialect_, lookup_, depth_ + 1).expand(text); }

  Readings values(std::string_view name) {
    if (auto found = lookup_(name)) return std::move(*found);
    if (!is_name(name)) {
      return {Reading::not_known(UnresolvedKind::unset_variable,
                                 "$" + std::string(name) + " is given where the script is called")};
    }
    return {not_set(name)};
  }

  static Readings beyond(std::string_view inner) {
    return {Reading::not_known(UnresolvedKind::expression, "${" + std::string(inner) + "} is not evaluated")};
  }

  Dialect dialect_;
  const Lookup& lookup_;
  int depth_;
  Partials partials_;
};

}  // namespace

Readings expand_variables(std::string_view text, Dialect dialect, const Lookup& lookup) {
  return Expander(dialect, lookup, 0).expand(text);
}

Readings expand_marked(std::string_view text, std::string_view open, std::string_view close, const Evaluate& evaluate) {
  Partials partials;
  while (!text.empty()) {
    const std::size_t begin = text.find(open);
    const std::size_t end = begin == std::string_view::npos ? begin : text.find(close, begin + open.size());
    if (end == std::string_view::npos) break;
    partials.append(text.substr(0, begin));
    const std::string_view inner = trimmed(text.substr(begin + open.size(), end - begin - open.size()));
    partials.fork(inner, partials.knows(inner) ? Readings() : evaluate(inner));
    text.remove_prefix(end + close.size());
  }
  partials.append(text);
  return std::move(partials).finish();
}

Reading not_set(std::string_view name) {
  return Reading::not_known(UnresolvedKind::unset_variable,
                            "variable " + std::string(name) + " is not set in this file");
}

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace paddock::ci
