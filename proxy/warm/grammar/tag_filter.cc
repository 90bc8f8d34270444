#include "proxy/warm/grammar/tag_filter.h"

#include <algorithm>
#include <utility>

#include "proxy/warm/grammar/filter_parser.h"

namespace paddock {
namespace {

using Comparison = TagTest::Comparison;

bool compare(const Version& have, Comparison comparison, const Version& value) {
  switch (comparison) {
    case Comparison::known:
      return true;
    case Comparison::equal:
      return have == value;
    case Comparison::begins_with:
      return have.begins_with(value);
    case Comparison::less:
      return have < value;
    case Comparison::less_or_equal:
      return have <= value;
    case Comparison::greater:
      return have > value;
    case Comparison::greater_or_equal:
      return have >= value;
  }
  return false;
}

bool compare(const std::string& have, Comparison comparison, const std::string& value) {
  return comparison == Comparison::begins_with ? have.starts_with(value) : have == value;
}

template <typename T>
bool holds(const T& have, const TagTest& test) {
  return std::ranges::any_of(test.values, [&](const auto& value) {
    const T* wanted = std::get_if<T>(&value);
    return wanted != nullptr && compare(have, test.comparison, *wanted);
  });
}

bool holds(const TagFields& fields, const TagTest& test) {
  if (!is_known(fields, *test.field)) return false;
  if (test.comparison == Comparison::known) return true;
  const auto& member = test.field->member;
  if (const auto* number = std::get_if<TagField::Number>(&member)) return holds(*(fields.**number), test);
  if (const auto* name = std::get_if<TagField::Name>(&member)) return holds(*(fields.**name), test);
  return std::ranges::any_of(fields.*std::get<TagField::Names>(member),
                             [&](const std::string& name) { return holds(name, test); });
}

}  // namespace

Result<TagFilter> TagFilter::parse(std::string_view text) {
  auto steps = parse_filter(text);
  if (!steps) return std::unexpected(std::move(steps).error().with("filter"));
  TagFilter filter;
  filter.text_ = text;
  filter.steps_ = std::move(*steps);
  return filter;
}

bool TagFilter::matches(const TagFields& fields) const {
  std::vector<bool> operands;
  for (const auto& step : steps_) {
    if (const auto* test = std::get_if<TagTest>(&step)) {
      operands.push_back(holds(fields, *test));
      continue;
    }
    const bool last = operands.back();
    operands.pop_back();
    switch (std::get<Connective>(step)) {
      case Connective::negation:
        operands.push_back(!last);
        break;
      case Connective::both:
        operands.back() = operands.back() && last;
        break;
      case Connective::either:
        operands.back() = operands.back() || last;
        break;
    }
  }
  return operands.empty() || operands.back();
}

}  // namespace paddock
