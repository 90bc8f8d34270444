#include "proxy/warm/grammar/nearest_tags.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "proxy/warm/grammar/edit_distance.h"
#include "proxy/warm/grammar/tag_fields.h"

namespace paddock {
namespace {

constexpr std::size_t tag_limit = 128;
constexpr std::uint64_t far = 1U << 20U;
// A difference in a name: another device or architecture is of no use, another operating system nearly as good.
struct NameWeight {
  TagField::Name member;
  std::uint64_t differs;
  std::uint64_t unsaid;  // one names it, the other does not
};

constexpr std::array<NameWeight, 6> name_weights{{{&TagFields::device, 20'000, 10'000},
                                                  {&TagFields::arch, 5'000, 1'500},
                                                  {&TagFields::vendor, 5'000, 100},
                                                  {&TagFields::sdk, 5'000, 1'500},
                                                  {&TagFields::chip, 1'000, 100},
                                                  {&TagFields::os, 200, 100}}};
constexpr std::uint64_t flavour_differs = 3'000;  // for each that only one of them has

// By the first part that differs; `step` for each number that it is away.
struct NumberWeight {
  TagField::Number member;
  std::array<std::uint64_t, 3> part;
  std::array<std::uint64_t, 3> step;
  std::uint64_t unsaid;
};

constexpr std::array<NumberWeight, 12> number_weights{{
    {&TagFields::version, {3'000, 400, 150}, {1'000, 100, 20}, 1'500},
    {&TagFields::sdk_version, {3'000, 400, 150}, {1'000, 100, 20}, 500},
    {&TagFields::cuda, {500, 0, 5}, {300, 10, 1}, 1'000},
    {&TagFields::sm, {1'000, 0, 0}, {1, 0, 0}, 800},
    {&TagFields::paddlex, {800, 200, 50}, {200, 40, 5}, 50},
    {&TagFields::paddleocr, {800, 200, 50}, {200, 40, 5}, 50},
    {&TagFields::paddle, {800, 200, 50}, {200, 40, 5}, 50},
    {&TagFields::triton, {40, 10, 5}, {10, 2, 1}, 20},
    {&TagFields::cudnn, {40, 2, 1}, {5, 1, 0}, 3},
    {&TagFields::python, {40, 30, 5}, {10, 4, 1}, 10},
    {&TagFields::trt, {4, 2, 1}, {1, 0, 0}, 2},
    {&TagFields::gcc, {4, 2, 1}, {1, 0, 0}, 2},
}};

constexpr std::uint64_t latest_differs = 2'500;
constexpr std::uint64_t stage_differs = 40;

// Between alpha, beta, rc and the release; forward is nearer.
std::uint64_t stage_cost(const Version& wanted, const Version& other) {
  if (wanted == other) return 0;
  const int away = std::to_underlying(wanted.stage()) - std::to_underlying(other.stage());
  return stage_differs * static_cast<std::uint64_t>(away < 0 ? -away : away) + (other < wanted ? 2 : 1);
}

std::uint64_t cost(const NumberWeight& weight, const Version& wanted, const Version& other) {
  if (wanted.is_latest() != other.is_latest()) return latest_differs;
  for (std::size_t i = 0; i < Version::max_parts; ++i) {
    if (wanted.part(i) == other.part(i)) continue;
    // "cudnn8" says nothing of the parts that it leaves out.
    if (i >= wanted.parts() || i >= other.parts()) return 1;
    const std::size_t place = std::min<std::size_t>(i, 2);
    const std::uint64_t away = std::max(wanted.part(i), other.part(i)) - std::min(wanted.part(i), other.part(i));
    return std::min(weight.part[place] + weight.step[place] * away, far);
  }
  return stage_cost(wanted, other);
}

std::uint64_t cost(const TagFields& a, const TagFields& b) {
  std::uint64_t sum = 0;
  for (const NameWeight& weight : name_weights) {
    const auto& left = a.*weight.member;
    const auto& right = b.*weight.member;
    if (left != right) sum += left && right ? weight.differs : weight.unsaid;
  }
  for (const NumberWeight& weight : number_weights) {
    const auto& left = a.*weight.member;
    const auto& right = b.*weight.member;
    if (left && right) {
      sum += cost(weight, *left, *right);
    } else if (left || right) {
      sum += weight.unsaid;
    }
  }
  const auto only_in = [](const auto& one, const auto& other) {
    return std::ranges::count_if(
        one, [&](const std::string& name) { return std::ranges::find(other, name) == other.end(); });
  };
  const auto flavours = only_in(a.flavour, b.flavour) + only_in(b.flavour, a.flavour);
  return sum + flavour_differs * static_cast<std::uint64_t>(flavours);
}

struct Candidate {
  std::string_view tag;
  std::optional<Version> version;
  std::uint64_t cost = 0;
  std::size_t edits = 0;
};

bool is_nearer(const Candidate& a, const Candidate& b) {
  if (a.cost != b.cost || a.edits != b.edits) return std::tie(a.cost, a.edits) < std::tie(b.cost, b.edits);
  const auto order = a.version <=> b.version;
  return order == 0 ? a.tag < b.tag : order > 0;
}

std::vector<std::string> first_of(std::vector<Candidate> candidates, std::size_t count) {
  std::ranges::sort(candidates, is_nearer);
  std::vector<std::string> tags;
  for (const Candidate& candidate : candidates) {
    if (tags.size() == count) break;
    if (tags.empty() || tags.back() != candidate.tag) tags.emplace_back(candidate.tag);
  }
  return tags;
}

std::vector<Candidate> by_spelling(std::string_view wanted, std::vector<Candidate> candidates) {
  std::erase_if(candidates, [&](Candidate& candidate) {
    const std::size_t longer = std::max(wanted.size(), candidate.tag.size());
    if (!is_near(wanted, candidate.tag, longer - std::min(wanted.size(), candidate.tag.size()))) return true;
    candidate.edits = edit_distance(wanted, candidate.tag);
    return !is_near(wanted, candidate.tag, candidate.edits);
  });
  return candidates;
}

// Those that may be among the first `count`: edits are looked at only where costs are the same.
std::vector<Candidate> by_fields(std::string_view wanted, std::vector<Candidate> candidates, std::size_t count) {
  std::ranges::sort(candidates, {}, &Candidate::cost);
  if (candidates.size() > count) {
    const std::uint64_t limit = candidates[count - 1].cost;
    std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.cost > limit; });
  }
  for (Candidate& candidate : candidates) candidate.edits = edit_distance(wanted, candidate.tag);
  return candidates;
}

}  // namespace

std::vector<std::string> nearest_tags(std::string_view repository, std::string_view wanted,
                                      std::span<const std::string> existing, std::size_t count) {
  if (count == 0 || wanted.size() > tag_limit) return {};
  // What the repository's name says holds for all of them.
  const TagFields fields = parse_tag(repository, wanted);
  const bool says_nothing = fields == parse_tag(repository, {});
  std::vector<Candidate> candidates;
  for (const std::string& tag : existing) {
    if (tag == wanted || tag.size() > tag_limit) continue;
    TagFields other = parse_tag(repository, tag);
    candidates.push_back({tag, std::move(other.version), says_nothing ? 0 : cost(fields, other), 0});
  }
  return first_of(
      says_nothing ? by_spelling(wanted, std::move(candidates)) : by_fields(wanted, std::move(candidates), count),
      count);
}

std::string no_such_tag(std::string_view repository, std::string_view wanted, std::span<const std::string> existing) {
  std::string text = "no such tag";
  std::string_view before = "; nearest: ";
  for (const std::string& tag : nearest_tags(repository, wanted, existing)) {
    text.append(before).append(tag);
    before = ", ";
  }
  return text;
}

}  // namespace paddock
