// What goes wrong with transfers of blobs, in the same words wherever it happens.
#pragma once

#include "storage/digest.h"
#include "storage/error.h"

namespace paddock {

inline Error ended_early() {
  return {ErrorCode::unavailable, Blame::upstream, "the upstream ended the transfer early", /*retryable=*/true};
}

// See LeastRate.
inline Error only_drips() {
  return {ErrorCode::timeout, Blame::upstream, "the upstream sends so little that it is not waited for",
          /*retryable=*/true};
}

inline Error wrong_twice(const Digest& digest) {
  return {ErrorCode::digest_mismatch, Blame::upstream,
          "the upstream has just sent other bytes than " + digest.to_string() + ", twice"};
}

}  // namespace paddock
