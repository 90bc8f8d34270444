// What was fetched with a client's own credentials is kept under a key of its own, which no request can name: nobody
// comes to it but through a check of his credentials by the registry.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "storage/catalog.h"

namespace paddock {

inline constexpr std::string_view private_mark = "#private";

inline RepositoryKey private_key(RepositoryKey key) {
  key.repository.append(private_mark);
  return key;
}

inline bool is_private(std::string_view repository) { return repository.ends_with(private_mark); }

// As the registry calls it.
inline std::string without_mark(std::string repository) {
  if (is_private(repository)) repository.resize(repository.size() - private_mark.size());
  return repository;
}

}  // namespace paddock
