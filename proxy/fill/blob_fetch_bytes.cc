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
#include "proxy/fill/transfer_errors.h"

namespace paddock {
namespace {

using Seconds = std::chrono::duration<double>;

}  // namespace

// --- bytes ---

// Whether the transfer goes together with what has come so far.
Result<void> BlobFetch::check(const BlobSource& source, const BlobTransfer& transfer, std::uint64_t begin) {
  const auto inconsistent = [&](const std::string& what) {
    source.upstream->distrust(transfer.source, Doubt::likely);
    return fail(ErrorCode::digest_mismatch, Blame::upstream,
                what + " changed in the middle of the blob, at " + transfer.source);
  };
  const auto size = partial_->size();
  if (size && transfer.size && *size != *transfer.size) return inconsistent("the size");
  if (transfer.offset > begin) return fail(ErrorCode::protocol, Blame::upstream, "the upstream skipped bytes");
  // Of a single stream the digest alone decides: behind one name there may be several tags for the same bytes.
  if (options_.ranged && !transfer.etag.empty()) {
    const std::string place = source.upstream->name() + '/' + source.repository + ' ' + transfer.source;
    const auto [known, first] = etags_.try_emplace(place, transfer.etag);
    if (!first && known->second != transfer.etag) return inconsistent("the ETag");
  }
  around_.on_source(source, transfer.source);
  return {};
}

Task<Result<void>> BlobFetch::copy(Worker& worker, BlobTransfer& transfer) {
  using namespace asio::experimental::awaitable_operators;
  const std::uint64_t begin = worker.attempt.begin;
  if (auto fits = check(*worker.source, transfer, begin); !fits) co_return fits;
  worker.buffer.resize(options_.buffer);
  ByteRing ring(tick_->get_executor(), worker.buffer, options_.gather);
  worker.abort = transfer.abort;
  auto [received, stored] =
      co_await (receive(worker, transfer, begin - transfer.offset, ring) && store(worker, transfer, begin, ring));
  worker.abort = nullptr;
  worker.ours = false;
  co_return stored ? received : stored;
}

// `skip` bytes are there already: it ignored the range.
Task<Result<void>> BlobFetch::receive(Worker& worker, BlobTransfer& transfer, std::uint64_t skip, ByteRing& ring) {
  Result<void> done;
  for (;;) {
    worker.ours = true;
    auto room = co_await ring.room();
    worker.ours = false;
    if (room.empty()) break;
    if (around_.gives_way()) {
      co_await give_way(worker);
      room = room.first(std::min(room.size(), options_.trickle));
    }
    auto got = co_await read(worker, transfer, room);
    if (!got) {
      done = std::unexpected(std::move(got).error());
      break;
    }
    if (*got == 0 || failure_) break;
    co_await count(worker, transfer, *got);
    const auto dropped = std::min<std::uint64_t>(skip, *got);
    skip -= dropped;
    if (dropped > 0) std::memmove(room.data(), room.data() + dropped, *got - dropped);
    if (*got > dropped) ring.filled(*got - dropped);
  }
  worker.ours = true;  // what is left is for the disk
  ring.close();
  co_return done;
}

Task<void> BlobFetch::give_way(Worker& worker) {
  worker.ours = true;
  const auto until = Steady::now() + options_.courtesy;
  asio::steady_timer timer(tick_->get_executor());
  while (around_.gives_way() && !failure_ && !pieces_over_ && Steady::now() < until) {
    timer.expires_after(std::min(options_.interval, options_.courtesy));
    co_await wait_for(timer);
  }
  worker.ours = false;
}

Task<Result<std::size_t>> BlobFetch::read(Worker& worker, BlobTransfer& transfer, std::span<std::byte> room) {
  auto& attempt = worker.attempt;
  const auto began = attempt.last_byte = Steady::now();
  auto got = co_await transfer.read(room);
  if (!got || *got == 0) co_return got;
  attempt.last_byte = Steady::now();
  const auto waited = attempt.last_byte - began;
  attempt.waited += waited;
  attempt.dripped = !attempt.pace.enough(*got, waited);
  if (attempt.dripped) co_return std::unexpected(only_drips());
  co_return got;
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
    done = co_await pools_.work.run([this, position, bytes] { return partial_->write(position, bytes); });
    if (!done) break;
    position += bytes.size();
    worker.attempt.brought += bytes.size();
    stored_ += bytes.size();
    ring.taken(bytes.size());
    if (plan_) plan_->progress(worker.piece.ticket, position);
    if (stored_ - recorded_ >= options_.chunk) record_progress();
  }
  ring.close();
  transfer.abort();
  co_return done;
}

// Books what has come, and waits if that was more than the bandwidth allows.
Task<void> BlobFetch::count(Worker& worker, const BlobTransfer& transfer, std::size_t bytes) {
  auto& attempt = worker.attempt;
  attempt.received += bytes;
  received_ += bytes;
  if (!transfer.bandwidth) co_return;
  auto delay = transfer.bandwidth->take(bytes, attempt.last_byte);
  if (delay.count() == 0) co_return;
  worker.ours = true;
  for (asio::steady_timer timer(tick_->get_executor()); delay.count() > 0 && !failure_;) {
    timer.expires_after(std::min<std::chrono::nanoseconds>(delay, options_.interval));
    co_await wait_for(timer);
    delay = transfer.bandwidth->take(0, Steady::now());  // the rate may have changed
  }
  worker.ours = false;
  attempt.last_byte = Steady::now();
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
  replace_straggler();
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
  steady_ = !around_.gives_way();
}

void BlobFetch::add_workers() {
  const std::size_t wanted = wanted_workers();
  // Counted beforehand: one may have ended already when spawn() returns.
  for (auto missing = wanted - std::min(wanted, workers_.size()); missing > 0; --missing) {
    auto source = sources_->current();
    std::shared_ptr<void> allowance;
    if (!plan_->has_free() || !may_connect(*source, workers_.size(), allowance)) break;
    spawn(*plan_->next(around_.readers(), piece_length()), std::move(source), std::nullopt, std::move(allowance));
    steady_ = false;
  }
  if (workers_.size() != wanted) steady_ = false;
}

std::optional<BlobFetch::Workers::iterator> BlobFetch::straggler() {
  const auto now = Steady::now();
  const auto since = [&](Steady::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
  };
  const auto extents = partial_->extents();
  const auto readers = around_.readers();
  std::vector<PieceProgress> pieces;
  std::vector<Workers::iterator> workers;
  for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
    const auto& attempt = worker->attempt;
    const Extent rest = plan_->rest(worker->piece.ticket);
    // What we were slow in ourselves is not the connection's fault.
    const double time = Seconds(attempt.waited + (worker->ours ? Steady::duration() : now - attempt.last_byte)).count();
    const bool awaited =
        std::ranges::any_of(readers, [&](std::uint64_t reader) { return extents.run_end(reader) == rest.begin; });
    pieces.push_back({.missing = rest.end > rest.begin ? rest.end - rest.begin : 0,
                      .rate = time > 0 ? static_cast<double>(attempt.received) / time : 0,
                      .silent = worker->ours ? std::chrono::milliseconds(0) : since(attempt.last_byte),
                      .age = since(attempt.asked),
                      .awaited = awaited || !plan_->has_free()});
    workers.push_back(worker);
  }
  const auto slow = find_straggler(pieces, usual_rate_, options_.straggler);
  return slow ? std::optional(workers[*slow]) : std::nullopt;
}

// With as many connections as may be it is given up instead, for another to take over.
void BlobFetch::replace_straggler() {
  const auto slow = straggler();
  if (!slow) return;
  auto& worker = **slow;
  spdlog::debug(
      "fill of {}: the piece at byte {} comes too slowly: {} bytes received, {} ms old, silent for {} ms; usual are "
      "{:.0f} bytes/s",
      partial_->digest().to_string(), plan_->rest(worker.piece.ticket).begin, worker.attempt.received,
      std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - worker.attempt.asked).count(),
      std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - worker.attempt.last_byte).count(),
      usual_rate_);
  if (workers_.size() >= options_.connections) {
    if (worker.abort && workers_.size() > 1) worker.abort();
    return;
  }
  auto source = sources_->current();
  std::shared_ptr<void> allowance;
  if (!may_connect(*source, workers_.size(), allowance)) return;
  if (const auto twin = plan_->twin(worker.piece.ticket)) {
    spawn(*twin, std::move(source), std::nullopt, std::move(allowance));
  }
}

// --- beside it ---

void BlobFetch::record_progress() {
  recorded_ = stored_;
  note_wanted_ = true;
  const auto& executor = tick_->get_executor();
  if (!std::exchange(keeping_books_, true)) asio::co_spawn(executor, keep_books(), asio::detached);
  if (checkpoint_due() && !std::exchange(checkpointing_, true)) {
    asio::co_spawn(executor, make_checkpoints(), asio::detached);
  }
}

bool BlobFetch::checkpoint_due() const {
  return stored_ - checkpointed_ >= options_.chunk * options_.connections ||
         (stored_ > checkpointed_ && Steady::now() - checkpointed_at_ >= options_.checkpoint);
}

Task<void> BlobFetch::keep_books() {
  const auto alive = shared_from_this();
  co_await guarded(note_and_hash());
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
    more = note_wanted_ || (hashed && *hashed > 0);
    if (!hashed) give_up(std::move(hashed).error());
  }
}

Task<void> BlobFetch::make_checkpoints() {
  const auto alive = shared_from_this();
  co_await guarded(sync_what_came());
  checkpointing_ = false;
  tick_->cancel();
}

Task<void> BlobFetch::sync_what_came() {
  while (checkpoint_due() && !failure_) {
    checkpointed_ = stored_;
    checkpointed_at_ = Steady::now();
    auto made = co_await pools_.sync.run([this] { return partial_->checkpoint(); });
    // After a failed fdatasync nobody knows what is on the disk.
    if (!made && made.error().code == ErrorCode::io) give_up(std::move(made).error());
  }
}

}  // namespace paddock
