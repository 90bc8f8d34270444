#include "proxy/fill/uncached_stream.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/timer_wait.h"
#include "proxy/fill/transfer_errors.h"
#include "storage/partial_blob.h"

namespace paddock {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds rate_interval{200};  // between two looks at the bandwidth

std::unexpected<Error> lie(std::string what) { return fail(ErrorCode::protocol, Blame::upstream, std::move(what)); }

Task<void> pause(Steady::duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await wait_for(timer);
}

}  // namespace

UncachedStream::UncachedStream(FillOrder order, Start start, Common common, StreamMemory::Grant window)
    : order_(std::move(order)),
      begin_(start.begin),
      common_(std::move(common)),
      window_(std::move(window)),
      hash_before_(std::move(start.hash_before)),
      position_(start.begin),
      size_(start.size) {}

void UncachedStream::start(const asio::any_io_executor& executor, std::shared_ptr<UncachedStream> stream) {
  asio::co_spawn(executor, [stream = std::move(stream)] { return stream->run(); }, asio::detached);
}

bool UncachedStream::serves(const FillOrder& order) const {
  return order_.upstream->name() == order.upstream->name() && order_.repository == order.repository;
}

// --- readers come and go ---

std::shared_ptr<UncachedStream::Reader> UncachedStream::join() {
  const MutexLock lock(mutex_);
  if (failure_ || (blocks_.empty() ? position_ : blocks_.front().offset) != begin_) return nullptr;
  const std::shared_ptr<Reader> reader(new Reader(shared_from_this(), begin_));
  readers_[reader.get()] = begin_;
  return reader;
}

std::shared_ptr<UncachedStream> UncachedStream::Reader::stream() const {
  const MutexLock lock(mutex_);
  return stream_;
}

void UncachedStream::Reader::move_to(std::shared_ptr<UncachedStream> stream) {
  const MutexLock lock(mutex_);
  stream_ = std::move(stream);
}

UncachedStream::Reader::~Reader() {
  for (bool left = false; !left;) {
    const auto at = stream();
    {
      const MutexLock lock(at->mutex_);
      left = at->readers_.erase(this) > 0;
    }
    if (left) at->room_.notify_all();
  }
}

std::shared_ptr<UncachedStream> UncachedStream::split_off() {
  const MutexLock lock(mutex_);
  auto window = common_.memory->take(kept_);
  const bool possible = window.token != nullptr;
  auto slow = std::make_shared<UncachedStream>(order_, Start{}, common_, std::move(window));
  const MutexLock other(slow->mutex_);
  if (possible) {
    slow->position_ = position_;
    slow->size_ = size_;
    slow->blocks_ = blocks_;
    slow->kept_ = kept_;
    slow->hasher_ = hasher_->clone();
  } else {
    slow->failure_ = Error{ErrorCode::unavailable, Blame::us, "a client reads too slowly for what memory there is"};
  }
  for (auto entry = readers_.begin(); entry != readers_.end();) {
    const auto [reader, place] = *entry;
    if (place == blocks_.front().offset) {
      slow->readers_.insert(*entry);
      reader->move_to(slow);
      entry = readers_.erase(entry);
    } else {
      ++entry;
    }
  }
  return possible ? slow : nullptr;
}

// --- reading ---

Task<Result<std::uint64_t>> UncachedStream::Reader::size(Deadline deadline) {
  for (;;) {
    const auto at = stream();
    auto waiter = at->changed_.subscribe(co_await asio::this_coro::executor);
    {
      const MutexLock lock(at->mutex_);
      if (at->failure_) co_return std::unexpected(*at->failure_);
      if (at->size_) co_return *at->size_;
    }
    if (!co_await waiter.wait_until(deadline)) {
      co_return fail(ErrorCode::timeout, Blame::upstream, "the upstream has not begun to send in time", true);
    }
  }
}

Task<Result<UncachedStream::Bytes>> UncachedStream::Reader::next(Deadline deadline) {
  for (;;) {
    const auto at = stream();
    auto waiter = at->changed_.subscribe(co_await asio::this_coro::executor);
    if (auto taken = take_from(*at)) {
      at->room_.notify_all();
      co_return *std::move(taken);
    }
    if (at != stream()) continue;
    if (!co_await waiter.wait_until(deadline)) {
      co_return fail(ErrorCode::timeout, Blame::upstream, "no byte has come for too long", true);
    }
  }
}

std::optional<Result<UncachedStream::Bytes>> UncachedStream::Reader::take_from(UncachedStream& stream) {
  const MutexLock lock(stream.mutex_);
  const auto self = stream.readers_.find(this);
  if (self == stream.readers_.end()) return std::nullopt;
  auto& place = self->second;
  if (stream.verified_ && place == stream.position_) return Result<Bytes>(nullptr);
  const auto block = std::ranges::lower_bound(stream.blocks_, place, {}, &Block::offset);
  if (block != stream.blocks_.end()) {
    const auto end = place + block->bytes->size();
    const auto held_back = stream.verified_ ? 0 : PartialBlob::hold_back;
    if (end + held_back <= *stream.size_) {
      place = end;
      return Result<Bytes>(block->bytes);
    }
  }
  if (stream.failure_) return Result<Bytes>(std::unexpected(*stream.failure_));
  return std::nullopt;
}

// --- filling the window ---

Task<void> UncachedStream::run() {
  Result<void> done;
  try {
    done = co_await produce();
  } catch (const std::exception& e) {
    done = paddock::fail(ErrorCode::io, Blame::us, e.what());
  }
  {
    const MutexLock lock(mutex_);
    if (done) {
      verified_ = true;
    } else {
      failure_ = std::move(done).error();
    }
  }
  changed_.notify_all();
}

Task<Result<void>> UncachedStream::produce() {
  if (!hasher_ && hash_before_) {
    auto hashed = co_await common_.pool.run(std::exchange(hash_before_, nullptr));
    if (!hashed) co_return std::unexpected(std::move(hashed).error());
    hasher_ = *std::move(hashed);
  } else if (!hasher_) {
    hasher_.emplace(order_.digest.algorithm());
  }
  for (std::size_t fruitless = 0;;) {
    brought_ = false;
    auto done = co_await transfer_rest();
    if (done) co_return done;
    const Error& why = done.error();
    const bool passes = why.retryable || why.code == ErrorCode::rate_limited;
    if (why.blame != Blame::upstream || !passes) co_return done;
    fruitless = brought_ ? 1 : fruitless + 1;
    const auto delay =
        retry_delay(common_.options.retry, {fruitless, true, why.retry_after, common_.options.longest_wait}, jitter());
    if (!delay) co_return done;
    spdlog::warn("{} for {}, uncached: {}; next attempt in {} ms", order_.digest.to_string(), order_.upstream->name(),
                 why.context, delay->count());
    co_await pause(*delay);
  }
}

Task<Result<BlobTransfer>> UncachedStream::open_transfer() {
  std::uint64_t position = 0;
  {
    const MutexLock lock(mutex_);
    position = position_;
  }
  auto transfer = co_await order_.upstream->get_blob(order_.repository, order_.digest, position, std::nullopt);
  if (!transfer) co_return transfer;
  if (transfer->offset > position) co_return lie("the upstream skipped bytes");
  auto size = transfer->size;
  if (!size) {
    const auto info = co_await order_.upstream->head_blob(order_.repository, order_.digest);
    if (info) size = info->size;
  }
  if (!size) co_return lie("the upstream does not say how large the blob is");
  if (auto set = set_size(*size); !set) co_return std::unexpected(std::move(set).error());
  co_return transfer;
}

Result<void> UncachedStream::set_size(std::uint64_t size) {
  {
    const MutexLock lock(mutex_);
    if (size_ && *size_ != size) {
      return lie("the upstream first announced " + std::to_string(*size_) + " bytes, then " + std::to_string(size));
    }
    size_ = size;
  }
  changed_.notify_all();
  return {};
}

Task<Result<void>> UncachedStream::transfer_rest() {
  auto transfer = co_await open_transfer();
  if (!transfer) co_return std::unexpected(std::move(transfer).error());
  std::uint64_t left = 0, skip = 0;
  bool whole = false;
  {
    const MutexLock lock(mutex_);
    whole = position_ == 0;
    left = *size_ - position_;
    skip = position_ - transfer->offset;
  }
  LeastRate pace(common_.options.least_rate);
  buffer_.resize(common_.options.block);
  while (left > 0) {
    if (auto room = co_await make_room(); !room) co_return room;
    const auto asked = Steady::now();
    const auto got = co_await transfer->read(std::as_writable_bytes(std::span(buffer_)));
    if (!got) co_return std::unexpected(got.error());
    if (!pace.enough(*got, Steady::now() - asked)) {
      brought_ = false;
      co_return std::unexpected(only_drips());
    }
    if (*got == 0) co_return std::unexpected(ended_early());
    const auto dropped = std::min<std::uint64_t>(skip, *got);
    skip -= dropped;
    if (dropped == *got) continue;
    if (*got - dropped > left) co_return lie("the upstream sent more bytes than it announced");
    left -= *got - dropped;
    if (auto taken = co_await take(buffer_.substr(dropped, *got - dropped), *transfer); !taken) co_return taken;
  }
  co_return co_await verify(transfer->source, whole ? Doubt::certain : Doubt::likely);
}

Task<Result<void>> UncachedStream::take(std::string bytes, const BlobTransfer& transfer) {
  const auto shared = std::make_shared<const std::string>(std::move(bytes));
  co_await common_.pool.run([this, shared]() -> Result<void> {
    hasher_->update(*shared);
    return {};
  });
  {
    const MutexLock lock(mutex_);
    blocks_.push_back({position_, shared});
    position_ += shared->size();
    kept_ += shared->size();
  }
  brought_ = true;
  changed_.notify_all();
  if (!transfer.bandwidth) co_return Result<void>{};
  auto delay = transfer.bandwidth->take(shared->size(), Steady::now());
  while (delay.count() > 0 && is_read()) {
    co_await pause(std::min<std::chrono::nanoseconds>(delay, rate_interval));
    delay = transfer.bandwidth->take(0, Steady::now());  // the rate may have changed
  }
  co_return Result<void>{};
}

Task<Result<void>> UncachedStream::verify(const std::string& source, Doubt when_wrong) {
  auto actual = co_await common_.pool.run([this]() -> Result<Digest> { return hasher_->finish(); });
  if (!actual) co_return std::unexpected(std::move(actual).error());
  if (*actual == order_.digest) co_return Result<void>{};
  if (common_.came_wrong) common_.came_wrong(order_.digest);
  spdlog::error("{} came wrong from {}, uncached: its digest is {}", order_.digest.to_string(), source,
                actual->to_string());
  order_.upstream->distrust(source, when_wrong);
  co_return fail(ErrorCode::digest_mismatch, Blame::upstream,
                 "the upstream sent other bytes than " + order_.digest.to_string());
}

// --- the window ---

bool UncachedStream::is_read() const {
  const MutexLock lock(mutex_);
  return !readers_.empty();
}

// What waits for the digest at the end must have its place, whatever was granted.
std::uint64_t UncachedStream::least_window() const { return PartialBlob::hold_back + 2 * common_.options.block; }

bool UncachedStream::is_full() const {
  const auto next = std::min<std::uint64_t>(common_.options.block, *size_ - position_);
  return kept_ + next > std::max(window_.bytes, least_window());
}

bool UncachedStream::is_far_ahead() const {
  std::uint64_t furthest = begin_;
  for (const auto& [reader, place] : readers_) furthest = std::max(furthest, place);
  return position_ >= furthest + std::max(window_.bytes / 4, least_window());
}

// What all have read stays for whoever comes yet, as long as there is room; therefore it does not run far ahead either.
void UncachedStream::drop_what_all_have() {
  std::uint64_t slowest = position_;
  for (const auto& [reader, place] : readers_) slowest = std::min(slowest, place);
  while (is_full() && !blocks_.empty() && blocks_.front().offset < slowest) {
    kept_ -= blocks_.front().bytes->size();
    blocks_.pop_front();
  }
}

bool UncachedStream::somebody_waits() const {
  return std::ranges::any_of(readers_, [end = position_](const auto& entry) { return entry.second == end; });
}

Task<Result<void>> UncachedStream::make_room() {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto waiter = room_.subscribe(executor);
    bool waited_for = false;
    {
      const MutexLock lock(mutex_);
      if (readers_.empty()) co_return fail(ErrorCode::cancelled, Blame::us, "nobody reads it any more");
      drop_what_all_have();
      if (!is_full() && !is_far_ahead()) co_return Result<void>{};
      waited_for = somebody_waits();
    }
    if (waited_for && held_up_ >= common_.options.patience) {
      held_up_ = {};
      if (auto slow = split_off()) start(executor, std::move(slow));
      changed_.notify_all();
      continue;
    }
    const auto began = Steady::now();
    co_await waiter.wait_until(began + common_.options.patience);
    if (waited_for) held_up_ += Steady::now() - began;
  }
}

}  // namespace paddock
