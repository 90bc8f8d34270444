#include "config/options.h"

#include <utility>

namespace paddock::config {

std::uint64_t SizeLimit::resolve(std::uint64_t disk_total) const {
  if (!is_share()) return bytes;
  if (percent >= 100) return disk_total;
  return static_cast<std::uint64_t>(static_cast<long double>(disk_total) * (percent / 100.0L));
}

std::vector<UpstreamOptions> default_upstreams() {
  UpstreamOptions baidu;
  baidu.name = "registry.baidubce.com";
  baidu.endpoints = {"https://registry.baidubce.com"};
  baidu.is_default = true;

  UpstreamOptions ccr;
  ccr.name = "ccr-2vdh3abv-pub.cnc.bj.baidubce.com";
  ccr.endpoints = {"https://ccr-2vdh3abv-pub.cnc.bj.baidubce.com"};
  ccr.trusted_realms = {"ccr-auth.bj.baidubce.com"};

  UpstreamOptions hub;
  hub.name = "docker.io";
  hub.endpoints = {"https://registry-1.docker.io"};
  hub.trusted_realms = {"auth.docker.io"};
  return {std::move(baidu), std::move(ccr), std::move(hub)};
}

}  // namespace paddock::config
