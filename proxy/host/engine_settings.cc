#include "proxy/host/engine_settings.h"

#include "proxy/oci/ascii.h"

namespace paddock {

bool names_cache(std::string_view text, const CacheAddress& cache) {
  const bool https = text.starts_with("https://");
  if (const auto scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("/?#"));
  if (const auto user = text.rfind('@'); user != text.npos) text.remove_prefix(user + 1);
  const std::string authority = lower_case(text);
  return authority == cache.authority || authority + (https ? ":443" : ":80") == cache.authority ||
         authority == cache.authority + (cache.tls ? ":443" : ":80");
}

}  // namespace paddock
