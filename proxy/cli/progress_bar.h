// One line that shows how far something is. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace paddock {

struct Amount {
  double percent = 0;
  std::uint64_t done = 0, total = 0;  // bytes
  std::uint64_t rate = 0;             // bytes a second; 0: not known
  std::uint64_t eta = 0;              // seconds; 0: not known
};

// "42%, 3.1 GiB of 7.4 GiB, 85.0 MiB/s, 48s left", without what is not known.
std::string amount_text(const Amount& amount);
// "name [####----] 42% 3.1 GiB of 7.4 GiB, ...", not wider than `width`; of a long name the end is kept.
std::string progress_bar(const std::string& name, const Amount& amount, std::size_t width);

}  // namespace paddock
