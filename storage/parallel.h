// work_in_parallel: one piece of work for each of `count` items, by several threads, the calling one among them.
//
// `work` is called once for each index below `count`, in no particular order, by up to `threads` threads at a time, by
// fewer where the system has no more. The first failure is returned when all calls that have begun have ended; no other
// begins after it. What `work` throws is a failure too (io). Blocking.
#pragma once

#include <cstddef>
#include <functional>

#include "storage/error.h"

namespace paddock {

Result<void> work_in_parallel(std::size_t count, unsigned threads,
                              const std::function<Result<void>(std::size_t index)>& work);

}  // namespace paddock
