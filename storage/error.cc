#include "storage/error.h"

namespace paddock {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid argument";
    case ErrorCode::not_found:
      return "not found";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::digest_mismatch:
      return "digest mismatch";
    case ErrorCode::too_large:
      return "too large";
    case ErrorCode::no_space:
      return "no space";
    case ErrorCode::io:
      return "disk error";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::rate_limited:
      return "rate limited";
    case ErrorCode::protocol:
      return "protocol error";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string_view to_string(Blame blame) {
  switch (blame) {
    case Blame::client:
      return "client";
    case Blame::upstream:
      return "upstream";
    case Blame::us:
      return "us";
  }
  return "unknown";
}

}  // namespace paddock
