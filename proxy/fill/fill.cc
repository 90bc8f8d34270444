#include "proxy/fill/fill.h"

#include <boost/asio/this_coro.hpp>
#include <utility>

#include "proxy/net/counted.h"

namespace paddock {
namespace {

constexpr std::chrono::seconds come_back{10};

std::unexpected<Error> later(std::string context) {
  Error error{ErrorCode::timeout, Blame::upstream, std::move(context)};
  error.retry_after = come_back;
  return std::unexpected(std::move(error));
}

}  // namespace

bool is_not_kept(const Error& error) {
  return error.blame == Blame::us && error.code != ErrorCode::cancelled && error.code != ErrorCode::unavailable;
}

Fill::Fill(Digest digest, std::string upstream, std::string repository)
    : digest_(digest), upstream_(std::move(upstream)), repository_(std::move(repository)) {}

Task<Result<FillSource>> Fill::source(std::chrono::steady_clock::time_point deadline) {
  const auto executor = co_await asio::this_coro::executor;
  const Counted waiting(waiting_);
  for (;;) {
    auto waiter = changed_.subscribe(executor);
    std::shared_ptr<PartialBlob> partial;
    {
      const MutexLock lock(mutex_);
      if (const auto* error = std::get_if<Error>(&state_)) co_return std::unexpected(*error);
      if (const auto* blob = std::get_if<Blob>(&state_)) co_return *blob;
      if (const auto* streaming = std::get_if<Streaming>(&state_)) partial = streaming->partial;
    }
    // One that has failed is replaced by another attempt, or the fill fails.
    if (partial && partial->state() != PartialBlob::State::failed) {
      auto size = co_await partial->wait_size(deadline);
      if (size) co_return partial;
      if (size.error().code == ErrorCode::timeout) {
        co_return later("the upstream does not say how large the blob is; it is being fetched");
      }
    }
    if (!co_await waiter.wait_until(deadline)) {
      if (in_line_) co_return later("as many blobs as may be are being fetched; this one waits for its turn");
      co_return fail(ErrorCode::timeout, Blame::upstream, "the upstream has not begun to send in time", true);
    }
  }
}

Task<Result<bool>> Fill::over(std::chrono::steady_clock::time_point deadline) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    auto waiter = changed_.subscribe(executor);
    {
      const MutexLock lock(mutex_);
      if (const auto* error = std::get_if<Error>(&state_)) co_return std::unexpected(*error);
      const auto* streaming = std::get_if<Streaming>(&state_);
      if (std::holds_alternative<Blob>(state_) || (streaming != nullptr && streaming->stored)) co_return true;
    }
    if (!co_await waiter.wait_until(deadline)) co_return false;
  }
}

bool Fill::failed() const {
  const MutexLock lock(mutex_);
  const auto* streaming = std::get_if<Streaming>(&state_);
  return std::holds_alternative<Error>(state_) ||
         (streaming != nullptr && streaming->partial->state() == PartialBlob::State::failed);
}

FillStatus Fill::status() const {
  FillStatus status{digest_, upstream_, repository_, "", "", 0, std::nullopt, readers(), started_};
  std::shared_ptr<PartialBlob> partial;
  {
    const MutexLock lock(mutex_);
    status.source = source_;
    if (const auto* streaming = std::get_if<Streaming>(&state_)) {
      partial = streaming->partial;
      status.state = streaming->stored ? "stored" : "streaming";
    } else if (const auto* blob = std::get_if<Blob>(&state_)) {
      status.state = "stored";
      status.received = blob->size;
      status.size = blob->size;
    } else {
      status.state = std::holds_alternative<Error>(state_) ? "failed" : "starting";
    }
  }
  if (partial) {
    status.received = partial->received();
    status.size = partial->size();
  }
  return status;
}

std::shared_ptr<Fill::Reader> Fill::add_reader(std::uint64_t position) {
  auto reader = std::make_shared<Reader>(position);
  const MutexLock lock(mutex_);
  readers_.push_back(reader);
  return reader;
}

std::vector<std::uint64_t> Fill::positions() const {
  std::vector<std::uint64_t> positions;
  const MutexLock lock(mutex_);
  std::erase_if(readers_, [&](const auto& known) {
    const auto reader = known.lock();
    if (reader) positions.push_back(reader->position);
    return !reader;
  });
  return positions;
}

void Fill::publish(std::shared_ptr<PartialBlob> partial, std::string source) {
  {
    const MutexLock lock(mutex_);
    state_ = Streaming{std::move(partial)};
    source_ = std::move(source);
  }
  changed_.notify_all();
}

void Fill::set_source(std::string source) {
  const MutexLock lock(mutex_);
  source_ = std::move(source);
}

void Fill::finish(Blob blob) {
  {
    const MutexLock lock(mutex_);
    state_ = std::move(blob);
  }
  changed_.notify_all();
}

void Fill::finish() {
  {
    const MutexLock lock(mutex_);
    if (auto* streaming = std::get_if<Streaming>(&state_)) streaming->stored = true;
  }
  changed_.notify_all();
}

void Fill::finish(Error error) {
  {
    const MutexLock lock(mutex_);
    state_ = std::move(error);
  }
  changed_.notify_all();
}

}  // namespace paddock
