// run_task: runs a coroutine to its end on an event loop of its own and returns what it returned.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "storage/task.h"

namespace paddock {
namespace run_task_detail {

template <typename T>
Task<void> keep(Task<T> task, std::optional<T>* out) {
  out->emplace(co_await std::move(task));
}

}  // namespace run_task_detail

inline void run_task(Task<void> task) {
  asio::io_context loop;
  std::exception_ptr thrown;
  asio::co_spawn(loop, std::move(task), [&thrown](std::exception_ptr error) { thrown = std::move(error); });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

template <typename T>
  requires(!std::is_void_v<T>)
T run_task(Task<T> task) {
  std::optional<T> result;
  run_task(run_task_detail::keep(std::move(task), &result));
  if (!result) throw std::logic_error("the task did not finish");
  return std::move(*result);
}

}  // namespace paddock
