#include "proxy/fill/uncached_streams.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace paddock {

UncachedStreams::UncachedStreams(EventLoops& loops, BlockingPool& pool, Options options)
    : loops_(loops), pool_(pool), options_(options), memory_(std::make_shared<StreamMemory>(options.memory)) {}

UncachedStreams::Reader UncachedStreams::join(const Digest& digest, std::uint64_t first, std::uint64_t last) {
  const auto [begin, end] = streams_.equal_range(digest);
  for (auto entry = begin; entry != end; ++entry) {
    const auto stream = entry->second.lock();
    if (!stream || stream->begin() < first || stream->begin() > last) continue;
    if (auto reader = stream->join()) return reader;
  }
  return nullptr;
}

UncachedStreams::Reader UncachedStreams::begin(FillOrder order, UncachedStream::Start start) {
  std::erase_if(streams_, [](const auto& entry) { return entry.second.expired(); });
  const Digest digest = order.digest;
  const auto stream =
      std::make_shared<UncachedStream>(std::move(order), std::move(start), options_.stream, pool_, memory_);
  streams_.emplace(digest, stream);
  auto reader = stream->join();
  ++transfers_;
  asio::co_spawn(loops_.next(), stream->run(), asio::detached);
  return reader;
}

bool UncachedStreams::running(const Digest& digest) {
  const MutexLock lock(mutex_);
  return join(digest, 0, 0) != nullptr;
}

Task<Result<UncachedStreams::Reader>> UncachedStreams::open(FillOrder order, Deadline deadline) {
  bool shared = false;
  Reader reader;
  {
    const MutexLock lock(mutex_);
    reader = join(order.digest, 0, 0);
    shared = reader != nullptr;
    if (!reader) reader = begin(order, {});
  }
  auto size = co_await reader->size(deadline);
  if (!size && shared && size.error().code != ErrorCode::timeout) {
    // It may have been another repository's, or another upstream's: that says nothing about ours.
    {
      const MutexLock lock(mutex_);
      reader = begin(std::move(order), {});
    }
    size = co_await reader->size(deadline);
  }
  if (!size) co_return std::unexpected(std::move(size).error());
  co_return reader;
}

Result<UncachedStreams::Reader> UncachedStreams::go_on(FillOrder order, const std::shared_ptr<PartialBlob>& partial,
                                                       std::uint64_t from, const Error& why) {
  const auto size = partial->size();
  const std::uint64_t there = partial->prefix();
  if (!size || from > there) return std::unexpected(why);
  const MutexLock lock(mutex_);
  if (auto reader = join(order.digest, from, there)) return reader;
  return begin(std::move(order),
               {.begin = there, .size = size, .hash_before = [partial, there] { return partial->hash_prefix(there); }});
}

}  // namespace paddock
