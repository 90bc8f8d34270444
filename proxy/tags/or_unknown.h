// or_unknown: a catalog that cannot be read knows nothing, and the upstream is asked instead: it must not keep a client
// from an image that the upstream has. Logged once a minute. Errors that are not ours stay errors. Thread-safe.
#pragma once

#include <utility>

#include "storage/error.h"

namespace paddock {

void log_unreadable_catalog(const Error& error);

// `read` is what the catalog says; T{} is "no" or "nothing".
template <typename T>
Result<T> or_unknown(Result<T> read) {
  if (read || read.error().blame != Blame::us) return read;
  log_unreadable_catalog(read.error());
  return T{};
}

}  // namespace paddock
