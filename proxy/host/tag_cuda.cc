#include "proxy/host/tag_cuda.h"

#include <algorithm>
#include <string>

namespace paddock {
namespace {

// "118", "126" and "90" are written without the dot: the last digit is the minor version.
std::optional<CudaVersion> read(std::string digits) {
  while (digits.ends_with('.')) digits.pop_back();
  const bool joined = !digits.contains('.') && (digits.size() > 2 || (digits.size() == 2 && digits[0] != '1'));
  if (joined) digits.insert(digits.size() - 1, ".");
  auto version = CudaVersion::parse(digits);
  if (!version || version->major() < 5 || version->major() > 99) return std::nullopt;
  return *std::move(version);
}

}  // namespace

std::optional<CudaVersion> cuda_of_tag(std::string_view tag) {
  constexpr std::string_view word = "cuda";
  for (auto at = tag.find(word); at != tag.npos; at = tag.find(word, at)) {
    at += word.size();
    auto rest = tag.substr(at);
    if (rest.starts_with('-') || rest.starts_with('_')) rest.remove_prefix(1);
    if (auto version = read(std::string(rest.substr(0, rest.find_first_not_of("0123456789."))))) return version;
  }
  return std::nullopt;
}

}  // namespace paddock
