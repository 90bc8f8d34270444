// Task: a coroutine on an event loop. Storage itself is blocking code; a Task appears only where something waits.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace paddock {

namespace asio = boost::asio;

template <typename T>
using Task = asio::awaitable<T>;

}  // namespace paddock
