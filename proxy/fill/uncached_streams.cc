#include "proxy/fill/uncached_streams.h"

#include "proxy/fill/transfer_errors.h"

namespace paddock {

UncachedStreams::UncachedStreams(EventLoops& loops, BlockingPool& pool, Options options)
    : loops_(loops),
      common_{options.stream, pool, std::make_shared<StreamMemory>(options.memory),
              [this](const Digest& digest) { came_wrong(digest); }},
      wrong_once_(options.clock != nullptr ? *options.clock : system_clock_, options.wrong_rest),
      refused_(options.clock != nullptr ? *options.clock : system_clock_, options.wrong_rest) {}

void UncachedStreams::came_wrong(const Digest& digest) {
  ++wrong_;
  const auto name = digest.to_string();
  (wrong_once_.contains(name) ? refused_ : wrong_once_).add(name);
}

UncachedStreams::Reader UncachedStreams::join(const Digest& digest, std::uint64_t first, std::uint64_t last) {
  const auto [begin, end] = streams_.equal_range(digest);
  for (auto entry = begin; entry != end; ++entry) {
    const auto stream = entry->second.lock();
    if (!stream || stream->begin() < first || stream->begin() > last) continue;
    if (auto reader = stream->join()) return reader;
  }
  return nullptr;
}

UncachedStreams::Reader UncachedStreams::join_or_begin(FillOrder order, std::uint64_t first,
                                                       UncachedStream::Start start) {
  const Digest digest = order.digest;
  std::shared_ptr<UncachedStream> stream;
  Reader reader;
  {
    const MutexLock lock(mutex_);
    if (auto running = join(digest, first, start.begin)) return running;
    std::erase_if(streams_, [](const auto& entry) { return entry.second.expired(); });
    stream = std::make_shared<UncachedStream>(std::move(order), std::move(start), common_, common_.memory->take());
    reader = stream->join();
    streams_.emplace(digest, stream);
  }
  ++begun_;
  UncachedStream::start(loops_.here().get_executor(), std::move(stream));
  return reader;
}

bool UncachedStreams::running(const Digest& digest) {
  const MutexLock lock(mutex_);
  return join(digest, 0, 0) != nullptr;
}

Task<Result<UncachedStreams::Reader>> UncachedStreams::open(FillOrder order, Deadline deadline) {
  if (refused_.contains(order.digest.to_string())) co_return std::unexpected(wrong_twice(order.digest));
  // The stream shared may be another repository's, or another upstream's: how that fails says nothing about ours.
  constexpr int tries = 3;
  for (int number = 1;; ++number) {
    auto reader = join_or_begin(order, 0, {});
    auto size = co_await reader->size(deadline);
    if (size) co_return reader;
    if (reader->served_by(order) || number == tries || size.error().code == ErrorCode::timeout) {
      co_return std::unexpected(std::move(size).error());
    }
  }
}

Result<UncachedStreams::Reader> UncachedStreams::go_on(FillOrder order, const std::shared_ptr<PartialBlob>& partial,
                                                       std::uint64_t from, const Error& why) {
  const auto size = partial->size();
  const std::uint64_t there = partial->prefix();
  if (!size || from > there) return std::unexpected(why);
  return join_or_begin(std::move(order), from, {.begin = there, .size = size, .hash_before = [partial, there] {
                                                  return partial->hash_prefix(there);
                                                }});
}

}  // namespace paddock
