// Who a fill is for.
#pragma once

#include <cstdint>

namespace paddock {

enum class FillPriority : std::uint8_t { client, background };  // the first comes first

}  // namespace paddock
