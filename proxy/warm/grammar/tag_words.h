// The words of which tags are made. Only tables and look-ups, for tag_fields and tag_parser. Pure; thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/warm/grammar/tag_fields.h"

namespace paddock::tag_words {

inline constexpr std::array<std::string_view, 9> devices{"cpu",  "gpu", "npu", "xpu", "dcu",
                                                         "rocm", "ipu", "mlu", "gcu"};
inline constexpr std::array<std::string_view, 2> architectures{"amd64", "arm64"};
inline constexpr std::array<std::string_view, 9> flavours{"dev",     "devel", "runtime",   "jupyter",    "java",
                                                          "offline", "base",  "manylinux", "with-driver"};
inline constexpr std::array<std::string_view, 10> vendors{"nvidia",    "huawei", "hygon", "kunlunxin", "iluvatar",
                                                          "cambricon", "metax",  "amd",   "intel",     "enflame"};
inline constexpr std::array<std::string_view, 7> sdk_names{"cann", "dtk",    "topsrider", "cntoolkit",
                                                           "ctr",  "poplar", "rocm"};
inline constexpr std::array<std::string_view, 4> prereleases{"alpha", "test", "beta", "rc"};

// How a number without points is read.
enum class Digits : std::uint8_t {
  whole,     // sm120
  each,      // cann701 is 7.0.1
  toolkit,   // cuda118 is 11.8, gcc82 is 8.2, cuda11 is 11: two digits first when they begin with 1
  language,  // py310 is 3.10
};

struct NumberWord {
  std::string_view word;  // in front of the number
  TagField::Number member;
  Digits digits = Digits::whole;
  std::string_view device{};  // what it takes to use it
  bool is_product = false;    // its version is the image's own
};

// By all letters in front of the number ("cuda"), lower case. Null when it is no such word.
const NumberWord* find_number_word(std::string_view word);

bool is_sdk(std::string_view word);

// amd64 for x86_64, arm64 for aarch64...
std::optional<std::string_view> architecture(std::string_view word);

// "ubuntu20", "ubuntu20.04", "kylinv10", "euleros".
bool is_os(std::string_view token);
// Ascend's: 910b, 310p.
bool is_chip(std::string_view token);
// Seven digits and letters of a hash, or all forty. Digits alone are more likely a date.
bool is_commit(std::string_view token);

// Puts the points into the digits in front: "82" is "8.2", "80rc1" is "8.0rc1".
std::string with_points(std::string_view number, Digits digits);

}  // namespace paddock::tag_words
