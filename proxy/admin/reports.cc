#include "proxy/admin/reports.h"

namespace paddock {

std::vector<std::string> LimitReport::reached() const {
  std::vector<std::string> names;
  if (connections > 0 && connections >= max_connections) names.emplace_back("connections");
  if (bandwidth_reached) names.emplace_back("bandwidth");
  return names;
}

}  // namespace paddock
