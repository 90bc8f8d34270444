// parse_tag: a name is cut at '-' and '_', and each piece is looked up on its own, so that the order does not matter.
// The tag comes first; the repository's last component fills in what the tag leaves unknown.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "proxy/oci/ascii.h"
#include "proxy/warm/grammar/tag_fields.h"
#include "proxy/warm/grammar/tag_words.h"

namespace paddock {
namespace {

constexpr std::size_t tag_limit = 128;
constexpr std::size_t repository_limit = 255;

bool is_separator(char c) { return c == '-' || c == '_'; }

std::string_view letters_of(std::string_view token) {
  const auto end = std::ranges::find_if(token, is_digit);
  return token.substr(0, static_cast<std::size_t>(end - token.begin()));
}

template <typename T>
void fill_in(std::optional<T>& field, T value) {
  if (!field) field = std::move(value);
}

bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Pieces that only mean something together: "cuda-12.6", "aarch_64", "with-driver".
bool belong_together(std::string_view left, std::string_view right) {
  if (left == "with" && right == "driver") return true;
  if ((left == "x86" || left == "aarch") && right == "64") return true;
  const bool wants_number = tag_words::find_number_word(left) != nullptr || tag_words::is_os(left);
  return wants_number && !left.empty() && !is_digit(left.back()) && !right.empty() && is_digit(right.front());
}

std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces;
  const std::string name = lower_case(text);
  for (auto from = name.begin(); from != name.end();) {
    const auto to = std::find_if(from, name.end(), is_separator);
    std::string piece(from, to);
    if (!pieces.empty() && belong_together(pieces.back(), piece)) {
      const std::string_view between = piece == "driver" ? "-" : piece == "64" ? "_" : "";
      pieces.back().append(between).append(piece);
    } else if (!piece.empty()) {
      pieces.push_back(std::move(piece));
    }
    from = to == name.end() ? to : to + 1;
  }
  return pieces;
}

// "21.10": a year and a month, as Triton counts.
bool is_year_and_month(std::string_view piece) {
  return piece.size() == 5 && piece[2] == '.' && is_digit(piece[0]) && is_digit(piece[1]) && piece.substr(3) >= "01" &&
         piece.substr(3) <= "12";
}

class TagParser {
 public:
  explicit TagParser(std::string_view repository)
      : repository_(repository), on_triton_(repository.find("fastdeploy") != std::string_view::npos) {}

  TagFields parse(std::string_view tag) {
    for (const std::string& piece : pieces_of(tag)) take(piece, true);
    const std::string component(repository_.substr(repository_.rfind('/') + 1));
    for (const std::string& piece : pieces_of(component)) take(piece, false);
    // nvidia/cuda:12.0.1, library/python:3.10: the word is the repository, the number the tag.
    if (fields_.version && !fields_.version->is_latest()) take_number_word(component + fields_.version->to_string());
    finish();
    return std::move(fields_);
  }

 private:
  void take(const std::string& piece, bool in_tag) {
    if (take_word(piece) || take_number_word(piece) || !in_tag) return;
    if (tag_words::is_commit(piece)) {
      fill_in(fields_.commit, piece);
    } else {
      take_version(piece);
    }
  }

  bool take_word(const std::string& piece) {
    if (contains(tag_words::devices, piece)) {
      fill_in(fields_.device, piece);
    } else if (contains(tag_words::flavours, piece)) {
      if (std::ranges::find(fields_.flavour, piece) == fields_.flavour.end()) fields_.flavour.push_back(piece);
    } else if (contains(tag_words::vendors, piece)) {
      fill_in(fields_.vendor, piece);
    } else if (const auto arch = tag_words::architecture(piece)) {
      fill_in(fields_.arch, std::string(*arch));
    } else if (tag_words::is_os(piece)) {
      fill_in(fields_.os, piece);
    } else if (tag_words::is_chip(piece)) {
      fill_in(fields_.chip, piece);
    } else {
      return false;
    }
    return true;
  }

  bool take_number_word(std::string_view piece) {
    const std::string_view letters = letters_of(piece);
    const tag_words::NumberWord* word = tag_words::find_number_word(letters);
    if (word == nullptr) return false;
    auto number = Version::parse(tag_words::with_points(piece.substr(letters.size()), word->digits));
    if (!number) return false;
    after_number_word_ = true;
    if (tag_words::is_sdk(letters) && !fields_.sdk) fields_.sdk = letters;
    if (device_needed_.empty()) device_needed_ = word->device;
    if (word->is_product) fill_in(fields_.version, *number);
    fill_in(fields_.*word->member, std::move(*number));
    return true;
  }

  // A number on its own. Behind another word it counts only with a point: "cntoolkit3.8.4-1" ends in a build number.
  void take_version(const std::string& piece) {
    if (fields_.version) take_stage(piece);
    auto number = Version::parse(piece);
    if (!number) return;
    if (on_triton_ && is_year_and_month(piece)) {
      fill_in(fields_.triton, std::move(*number));
    } else if (!after_number_word_ || number->is_latest() || number->parts() > 1) {
      fill_in(fields_.version, std::move(*number));
    }
  }

  // "2.3.0-rc0". Not of a single letter: a100 is a card.
  void take_stage(const std::string& piece) {
    if (!piece.starts_with("rc") && !piece.starts_with("beta") && !piece.starts_with("alpha")) return;
    if (auto whole = Version::parse(fields_.version->to_string() + piece)) fields_.version = std::move(whole);
  }

  void finish() {
    const auto& version = fields_.version;
    if (version && version->stage() != Version::Stage::release) fields_.prerelease = to_string(version->stage());
    if (!fields_.device && !device_needed_.empty()) fields_.device = device_needed_;
    if (!fields_.device && version && says_nothing_of_cpus()) fields_.device = "cpu";
  }

  // Repositories whose tags name a device only when it is another.
  [[nodiscard]] bool says_nothing_of_cpus() const {
    const auto is = [this](std::string_view name) {
      return repository_ == name ||
             (repository_.ends_with(name) && repository_[repository_.size() - name.size() - 1] == '/');
    };
    return is("paddlepaddle/paddle") || is("paddlepaddle/serving");
  }

  std::string_view repository_;
  bool on_triton_;
  TagFields fields_;
  std::string_view device_needed_;
  bool after_number_word_ = false;
};

}  // namespace

TagFields parse_tag(std::string_view repository, std::string_view tag) {
  if (tag.size() > tag_limit || repository.size() > repository_limit) return {};
  return TagParser(repository).parse(tag);
}

}  // namespace paddock
