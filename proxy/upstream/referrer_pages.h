// ReferrerPages: the pages of one answer of the referrers API, and whether there is a next one to ask for.
//
// Where the list ends is the registry's word, and a link may lead in circles or nowhere: a link that repeats, a page
// that adds nothing and yet goes on, and too many pages are errors (protocol), never the end of the list.
// Pure; one thread at a time. OCI distribution specification 1.1, "Listing referrers".
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "storage/error.h"

namespace paddock {

class ReferrerPages {
 public:
  static constexpr std::size_t page_limit = 100;

  // Takes a page and the target of its link, if it has one. The query to ask the next page with, or nothing at the end.
  Result<std::optional<std::string>> add(std::string body, std::string_view content_type,
                                         std::optional<std::string_view> link);
  [[nodiscard]] bool empty() const { return pages_.empty(); }
  [[nodiscard]] std::string join() const;  // of one page at least

 private:
  bool note_entries(std::string_view body);

  std::vector<std::string> pages_;
  std::unordered_set<std::string> queries_, digests_;
};

}  // namespace paddock
