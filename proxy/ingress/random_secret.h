// A text that nobody can guess, to tell what belongs to this process: hashes with it in front mean nothing outside.
#pragma once

#include <random>
#include <string>

namespace paddock {

inline std::string random_secret() {
  std::random_device source;
  std::string secret;
  for (int i = 0; i < 8; ++i) secret += std::to_string(source()) + ' ';
  return secret;
}

}  // namespace paddock
