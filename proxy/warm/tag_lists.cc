#include "proxy/warm/tag_lists.h"

#include <utility>

namespace paddock {
namespace {

constexpr std::size_t page_size = 1000;
constexpr std::size_t most_pages = 1000;  // one that gives a tag a page is not followed for ever

std::string key_of(const RepositoryKey& repository) { return repository.upstream + '/' + repository.repository; }

}  // namespace

Task<Result<TagLists::Tags>> TagLists::get(std::shared_ptr<Upstream> upstream, RepositoryKey repository) {
  {
    const MutexLock lock(mutex_);
    const auto* const known = known_.find(key_of(repository));
    if (known != nullptr && clock_.now() - known->at < options_.fresh) co_return known->tags;
  }
  const auto work = [this, upstream, repository] { return fetch(upstream, repository); };
  co_return co_await flights_.run(repository, work, std::chrono::steady_clock::now() + options_.deadline);
}

Task<Result<TagLists::Tags>> TagLists::fetch(std::shared_ptr<Upstream> upstream, RepositoryKey repository) {
  auto tags = std::make_shared<std::vector<std::string>>();
  std::string last;
  for (std::size_t pages = 0; pages < most_pages; ++pages) {
    auto page = co_await upstream->list_tags(repository.repository, page_size, last);
    if (!page) co_return std::unexpected(std::move(page).error());
    tags->insert(tags->end(), page->tags.begin(), page->tags.end());
    if (tags->size() > options_.limit) {
      co_return fail(ErrorCode::too_large, Blame::upstream,
                     key_of(repository) + " has more than " + std::to_string(options_.limit) + " tags");
    }
    if (!page->more || page->tags.empty()) break;
    last = tags->back();
  }
  const MutexLock lock(mutex_);
  known_.put(key_of(repository), {tags, clock_.now()}, 1);
  co_return tags;
}

}  // namespace paddock
