// How many connections the limit on open files allows, and how many requests at a time on them: a request may hold a
// blob's file and an upstream connection beside its own, an idle connection holds nothing else. The store, the
// upstreams and the admin side must have descriptors left when clients take all that they can get.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/error.h"

namespace paddock {

struct DescriptorBudget {
  std::size_t clients = 0;      // connections of the registry side
  std::size_t descriptors = 0;  // for these and what requests hold beside them, see Server::Options
  std::size_t admin = 0;        // connections of the admin side
};

// Pure. denied: so few that the store alone may run out of them.
Result<void> enough_descriptors(std::uint64_t limit);
// Pure.
DescriptorBudget share_descriptors(std::uint64_t limit);

// Raises the soft limit of this process to the hard one; the limit that holds then. Thread-safe.
std::uint64_t raise_descriptor_limit();

}  // namespace paddock
