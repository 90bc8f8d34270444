// in_parallel: runs work(0), work(1), … work(count - 1), at most `at_once` at a time, on the caller's event loop, and
// returns when all have ended. An exception of one ends its lane; the others go on. `work` must live as long.
#pragma once

#include <cstddef>
#include <functional>

#include "storage/task.h"

namespace paddock {

Task<void> in_parallel(std::size_t count, std::size_t at_once, const std::function<Task<void>(std::size_t)>& work);

}  // namespace paddock
