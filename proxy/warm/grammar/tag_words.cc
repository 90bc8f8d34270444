#include "proxy/warm/grammar/tag_words.h"

#include <algorithm>
#include <utility>

#include "proxy/oci/ascii.h"

namespace paddock::tag_words {
namespace {

const std::array<NumberWord, 23> number_words{{
    {"cuda", &TagFields::cuda, Digits::toolkit, "gpu"},
    {"post", &TagFields::cuda, Digits::toolkit, "gpu"},  // 0.8.3.post101 is built for CUDA 10.1, as in Python packages
    {"cudnn", &TagFields::cudnn, Digits::toolkit, "gpu"},
    {"trt", &TagFields::trt, Digits::toolkit, "gpu"},
    {"tensorrt", &TagFields::trt, Digits::toolkit, "gpu"},
    {"sm", &TagFields::sm, Digits::whole, "gpu"},
    {"gcc", &TagFields::gcc, Digits::toolkit},
    {"py", &TagFields::python, Digits::language},
    {"python", &TagFields::python, Digits::language},
    {"miopen", &TagFields::miopen},
    {"cnnl", &TagFields::cnnl},
    {"cann", &TagFields::sdk_version, Digits::each, "npu"},
    {"dtk", &TagFields::sdk_version, Digits::whole, "dcu"},
    {"topsrider", &TagFields::sdk_version, Digits::whole, "gcu"},
    {"cntoolkit", &TagFields::sdk_version, Digits::whole, "mlu"},
    {"ctr", &TagFields::sdk_version, Digits::whole, "mlu"},
    {"poplar", &TagFields::sdk_version, Digits::each, "ipu"},
    {"rocm", &TagFields::sdk_version, Digits::each, "rocm"},
    {"paddlepaddle", &TagFields::paddle, Digits::whole, {}, true},
    {"paddlex", &TagFields::paddlex, Digits::whole, {}, true},
    {"pdx", &TagFields::paddlex, Digits::whole, {}, true},
    {"paddleocr", &TagFields::paddleocr, Digits::whole, {}, true},
    {"ppocr", &TagFields::paddleocr, Digits::whole, {}, true},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> architecture_names{{{"x86_64", "amd64"},
                                                                                           {"x86", "amd64"},
                                                                                           {"amd64", "amd64"},
                                                                                           {"aarch64", "arm64"},
                                                                                           {"aarch_64", "arm64"},
                                                                                           {"arm64", "arm64"}}};

constexpr std::array<std::string_view, 8> os_names{"ubuntu", "kylin",  "euleros", "openeuler",
                                                   "centos", "debian", "anolis",  "rocky"};

}  // namespace

const NumberWord* find_number_word(std::string_view word) {
  const auto* const found = std::ranges::find(number_words, word, &NumberWord::word);
  return found == number_words.end() ? nullptr : found;
}

bool is_sdk(std::string_view word) { return std::ranges::find(sdk_names, word) != sdk_names.end(); }

std::optional<std::string_view> architecture(std::string_view word) {
  const auto* const found =
      std::ranges::find(architecture_names, word, &std::pair<std::string_view, std::string_view>::first);
  if (found == architecture_names.end()) return std::nullopt;
  return found->second;
}

bool is_os(std::string_view token) {
  return std::ranges::any_of(os_names, [&](std::string_view name) {
    if (!token.starts_with(name)) return false;
    const std::string_view rest = token.substr(name.size());
    return rest.empty() || Version::parse(rest);
  });
}

bool is_chip(std::string_view token) {
  if (!token.starts_with("910") && !token.starts_with("310")) return false;
  token.remove_prefix(3);
  return !token.empty() && token.size() <= 2 && token[0] >= 'a' && token[0] <= 'z' &&
         (token.size() == 1 || is_digit(token[1]));
}

bool is_commit(std::string_view token) {
  const auto is_hex_letter = [](char c) { return c >= 'a' && c <= 'f'; };
  return (token.size() == 7 || token.size() == 40) && std::ranges::any_of(token, is_digit) &&
         std::ranges::any_of(token, is_hex_letter) &&
         std::ranges::all_of(token, [&](char c) { return is_digit(c) || is_hex_letter(c); });
}

std::string with_points(std::string_view number, Digits digits) {
  const auto count = static_cast<std::size_t>(std::ranges::find_if_not(number, is_digit) - number.begin());
  std::string text(number);
  if (count < 2 || digits == Digits::whole || (count < number.size() && number[count] == '.')) return text;
  const std::size_t first = digits == Digits::toolkit && number.front() == '1' ? 2 : 1;
  const std::size_t last = digits == Digits::language ? first + 1 : count;
  // From the back, so that the places in front stay where they are.
  for (std::size_t place = std::min(last, count); place-- > first;) text.insert(place, 1, '.');
  return text;
}

}  // namespace paddock::tag_words
