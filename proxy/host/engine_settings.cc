#include "proxy/host/engine_settings.h"

#include <algorithm>

namespace paddock {

bool names_cache(std::string_view text, const CacheAddress& cache) {
  const bool https = text.starts_with("https://");
  if (const auto scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("/?#"));
  if (const auto user = text.rfind('@'); user != text.npos) text.remove_prefix(user + 1);
  std::string authority(text);
  std::ranges::transform(authority, authority.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return authority == cache.authority || authority + (https ? ":443" : ":80") == cache.authority ||
         authority == cache.authority + (cache.tls ? ":443" : ":80");
}

std::string join_names(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace paddock
