// The work of BlobFetch's connections on bytes, and what goes on beside it.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <cstring>
#include <spdlog/spdlog.h>
#include <utility>

#include "proxy/fill/blob_fetch.h"
#include "proxy/fill/timer_wait.h"

namespace paddock {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

// --- bytes ---

std::unexpected<Error> BlobFetch::inconsistent(const std::string& what, const std::string& source) {
  source_.upstream->distrust(source);
  return fail(ErrorCode::digest_mismatch, Blame::upstream, what + " changed in the middle of the blob, at " + source);
}

// Whether the transfer goes together with what has come so far.
Result<void> BlobFetch::check(const BlobTransfer& transfer, std::uint64_t begin) {
  const auto size = partial_->size();
  if (size && transfer.size && *size != *transfer.size) return inconsistent("the size", transfer.source);
  if (transfer.offset > begin) return fail(ErrorCode::protocol, Blame::upstream, "the upstream skipped bytes");
  if (!transfer.etag.empty()) {
    const auto [known, first] = etags_.try_emplace(transfer.source, transfer.etag);
    if (!first && known->second != transfer.etag) return inconsistent("the ETag", transfer.source);
  }
  around_.on_source(transfer.source);
  return {};
}

Task<Result<void>> BlobFetch::copy(Worker& worker, BlobTransfer& transfer, std::uint64_t begin) {
  using namespace asio::experimental::awaitable_operators;
  if (auto fits = check(transfer, begin); !fits) co_return fits;
  worker.buffer.resize(options_.buffer);
  ByteRing ring(tick_->get_executor(), worker.buffer);
  auto [received, stored] =
      co_await (receive(worker, transfer, begin - transfer.offset, ring) && store(worker, transfer, begin, ring));
  co_return stored ? received : stored;
}

// `skip` bytes are there already: it ignored the range.
Task<Result<void>> BlobFetch::receive(Worker& worker, BlobTransfer& transfer, std::uint64_t skip, ByteRing& ring) {
  Result<void> done;
  for (;;) {
    worker.ours = true;
    const auto room = co_await ring.room();
    worker.ours = false;
    worker.last_byte = Steady::now();
    if (room.empty()) break;
    auto got = co_await transfer.read(room);
    if (!got) done = std::unexpected(std::move(got).error());
    if (!got || *got == 0 || failure_) break;
    co_await count(worker, *got);
    const auto dropped = std::min<std::uint64_t>(skip, *got);
    skip -= dropped;
    if (dropped > 0) std::memmove(room.data(), room.data() + dropped, *got - dropped);
    if (*got > dropped) ring.filled(*got - dropped);
  }
  ring.close();
  co_return done;
}

Task<Result<void>> BlobFetch::store(Worker& worker, BlobTransfer& transfer, std::uint64_t position, ByteRing& ring) {
  Result<void> done;
  for (;;) {
    const auto bytes = co_await ring.bytes();
    if (bytes.empty()) co_return Result<void>{};
    if (!partial_->size() && position + bytes.size() > options_.unsized_limit) {
      done = fail(ErrorCode::too_large, Blame::upstream, "a blob without a size that does not end");
      break;
    }
    const auto before = partial_->received();
    done = co_await pools_.work.run([this, position, bytes] { return partial_->write(position, bytes); });
    if (!done) break;
    position += bytes.size();
    ring.taken(bytes.size());
    if (plan_) plan_->progress(worker.piece.ticket, position);
    if (partial_->received() > before) {
      worker.brought = true;
      fruitless_ = limited_ = 0;
    }
  }
  ring.close();
  transfer.abort();
  co_return done;
}

// Books what has come, and waits if that was more than the bandwidth allows.
Task<void> BlobFetch::count(Worker& worker, std::size_t bytes) {
  worker.last_byte = Steady::now();
  worker.received += bytes;
  received_ += bytes;
  if (!plan_) {
    streamed_ += bytes;
    if (streamed_ >= options_.chunk) {
      streamed_ = 0;
      piece_done();
    }
  }
  if (!source_.limits.bandwidth) co_return;
  auto delay = source_.limits.bandwidth->take(bytes, worker.last_byte);
  if (delay.count() == 0) co_return;
  worker.ours = true;
  for (asio::steady_timer timer(tick_->get_executor()); delay.count() > 0 && !failure_;) {
    const auto step = std::min<std::chrono::nanoseconds>(delay, options_.interval);
    timer.expires_after(step);
    co_await wait_for(timer);
    delay -= step;
  }
  worker.ours = false;
  worker.last_byte = Steady::now();
}

// --- once an interval ---

void BlobFetch::supervise() {
  if (auto why = around_.interrupted()) give_up(*std::move(why));
  if (failure_ || one_stream_) return;
  for (auto& worker : workers_) {
    const Extent rest = plan_->rest(worker.piece.ticket);
    if (rest.begin >= rest.end && worker.abort) worker.abort();  // its twin was faster
  }
  take_sample();
  if (backing_off_) return;
  double_straggler();
  add_workers();
}

void BlobFetch::take_sample() {
  const auto now = Steady::now();
  if (now - sampled_at_ < options_.interval) return;
  const double rate = static_cast<double>(received_ - sampled_) / Seconds(now - sampled_at_).count();
  sampled_ = received_;
  sampled_at_ = now;
  if (!workers_.empty()) {
    const double each = rate / static_cast<double>(workers_.size());
    usual_rate_ = usual_rate_ == 0 ? each : 0.7 * usual_rate_ + 0.3 * each;
  }
  if (steady_) scaler_.sample(rate);
  steady_ = true;
}

void BlobFetch::add_workers() {
  while (workers_.size() < scaler_.target()) {
    std::shared_ptr<void> allowance;
    if (!plan_->has_free() || !may_connect(allowance)) break;
    spawn(*plan_->next(around_.readers()), std::nullopt, std::move(allowance));
    steady_ = false;
  }
  if (workers_.size() != scaler_.target()) steady_ = false;
}

void BlobFetch::double_straggler() {
  if (workers_.size() >= options_.connections) return;
  const auto now = Steady::now();
  std::vector<PieceProgress> pieces;
  std::vector<ChunkPlan::Ticket> tickets;
  for (const auto& worker : workers_) {
    const Extent rest = plan_->rest(worker.piece.ticket);
    const double time = Seconds(now - worker.asked).count();
    pieces.push_back({.missing = rest.end > rest.begin ? rest.end - rest.begin : 0,
                      .rate = time > 0 ? static_cast<double>(worker.received) / time : 0,
                      .silent = worker.ours
                                    ? std::chrono::milliseconds(0)
                                    : std::chrono::duration_cast<std::chrono::milliseconds>(now - worker.last_byte),
                      .age = std::chrono::duration_cast<std::chrono::milliseconds>(now - worker.asked)});
    tickets.push_back(worker.piece.ticket);
  }
  const auto slow = find_straggler(pieces, usual_rate_, !plan_->has_free(), options_.straggler);
  std::shared_ptr<void> allowance;
  if (!slow || !may_connect(allowance)) return;
  if (const auto twin = plan_->twin(tickets[*slow])) spawn(*twin, std::nullopt, std::move(allowance));
}

bool BlobFetch::may_connect(std::shared_ptr<void>& allowance) const {
  const auto& budget = source_.limits.budget;
  if (budget && !workers_.empty()) allowance = budget->take();
  return !budget || workers_.empty() || allowance;
}

// --- beside it ---

void BlobFetch::piece_done() {
  note_wanted_ = true;
  const auto& executor = tick_->get_executor();
  if (!std::exchange(keeping_books_, true)) asio::co_spawn(executor, keep_books(), asio::detached);
  if (checkpoint_due() && !std::exchange(checkpointing_, true)) {
    asio::co_spawn(executor, make_checkpoints(), asio::detached);
  }
}

bool BlobFetch::checkpoint_due() const {
  return received_ - checkpointed_ >= options_.chunk * options_.connections ||
         (received_ > checkpointed_ && Steady::now() - checkpointed_at_ >= options_.checkpoint);
}

Task<void> BlobFetch::keep_books() {
  const auto alive = shared_from_this();
  try {
    co_await note_and_hash();
  } catch (const std::exception& e) {
    give_up({.code = ErrorCode::io, .blame = Blame::us, .context = e.what()});
  }
  keeping_books_ = false;
  tick_->cancel();
}

Task<void> BlobFetch::note_and_hash() {
  for (bool more = true; more && !failure_;) {
    if (std::exchange(note_wanted_, false)) {
      auto noted = co_await pools_.work.run([this] { return partial_->note(); });
      if (!noted && !std::exchange(note_failed_, true)) {
        spdlog::warn("the progress of {} cannot be recorded: {}", partial_->digest().to_string(),
                     noted.error().context);
      }
    }
    auto hashed = co_await pools_.work.run([this] { return partial_->hash_more(); });
    if (!hashed) give_up(std::move(hashed).error());
    more = note_wanted_ || (hashed && *hashed > 0);
  }
}

Task<void> BlobFetch::make_checkpoints() {
  const auto alive = shared_from_this();
  while (checkpoint_due() && !failure_) {
    checkpointed_ = received_;
    checkpointed_at_ = Steady::now();
    auto made = co_await pools_.sync.run([this] { return partial_->checkpoint(); });
    // After a failed fdatasync nobody knows what is on the disk.
    if (!made && made.error().code == ErrorCode::io) give_up(std::move(made).error());
  }
  checkpointing_ = false;
  tick_->cancel();
}

}  // namespace paddock
