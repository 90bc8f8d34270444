#include "proxy/net/descriptor_budget.h"

#include <algorithm>
#include <string>
#include <sys/resource.h>

namespace paddock {
namespace {

constexpr std::uint64_t fewest_descriptors = 128;
constexpr std::uint64_t smallest_reserve = 96;
constexpr std::uint64_t largest_reserve = 4096;
constexpr std::uint64_t most_clients = 20'000;
constexpr std::uint64_t fewest_clients = 4;  // a limit that cannot work still lets somebody see why
constexpr std::uint64_t most_admin = 256;

}  // namespace

Result<void> enough_descriptors(std::uint64_t limit) {
  if (limit >= fewest_descriptors) return {};
  return fail(ErrorCode::denied, Blame::us,
              "the limit on open files is " + std::to_string(limit) + ": raise it to " +
                  std::to_string(fewest_descriptors) + " at the very least (ulimit -n, LimitNOFILE=)");
}

DescriptorBudget share_descriptors(std::uint64_t limit) {
  const auto reserve = std::clamp(limit / 4, smallest_reserve, largest_reserve);
  const auto left = limit > reserve ? std::min(limit - reserve, 3 * most_clients) : 0;
  return {.clients = std::clamp(left * 2 / 3, fewest_clients, most_clients),
          .descriptors = std::clamp(left, 3 * fewest_clients, 3 * most_clients),
          .admin = std::clamp(reserve / 4, fewest_clients, most_admin)};
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : soft;
}

}  // namespace paddock
