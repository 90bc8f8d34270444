#include "tests/support/fake_upstream.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <utility>

namespace paddock::test {
namespace {

using Bytes = std::shared_ptr<const std::string>;

constexpr std::chrono::seconds patience{30};

struct StoredManifest {
  Bytes content;
  std::string media_type;
};

struct Repository {
  std::map<Digest, Bytes> blobs;
  std::map<Digest, StoredManifest> manifests;
  std::map<std::string, Digest> tags;
  std::map<Digest, std::string> referrers;
};

struct Failure {
  std::string match;
  Error error;
  std::size_t left;
  bool forever;
};

std::unexpected<Error> absent(std::string_view what) {
  return fail(ErrorCode::not_found, Blame::upstream, std::string(what) + " is not there");
}

}  // namespace

struct FakeUpstream::State {
  mutable Mutex mutex;
  mutable Condition changed;  // for the test's thread
  Notifier released;          // for coroutines
  std::map<std::string, Repository, std::less<>> repositories PADDOCK_GUARDED_BY(mutex);
  std::list<Failure> failures PADDOCK_GUARDED_BY(mutex);
  std::optional<std::pair<std::uint64_t, Error>> broken_blob PADDOCK_GUARDED_BY(mutex);
  bool ignore_ranges PADDOCK_GUARDED_BY(mutex) = false;
  bool hide_sizes PADDOCK_GUARDED_BY(mutex) = false;
  std::optional<std::uint64_t> announced_size PADDOCK_GUARDED_BY(mutex);
  std::size_t read_limit PADDOCK_GUARDED_BY(mutex) = SIZE_MAX;
  std::vector<std::string> gates PADDOCK_GUARDED_BY(mutex), single_gates PADDOCK_GUARDED_BY(mutex);
  std::optional<std::uint64_t> blob_gate PADDOCK_GUARDED_BY(mutex), next_gate PADDOCK_GUARDED_BY(mutex);
  bool released_all PADDOCK_GUARDED_BY(mutex) = false;
  std::size_t held PADDOCK_GUARDED_BY(mutex) = 0;
  std::vector<std::string> calls PADDOCK_GUARDED_BY(mutex);
  std::uint64_t given PADDOCK_GUARDED_BY(mutex) = 0;
  std::size_t transfers PADDOCK_GUARDED_BY(mutex) = 0, most_transfers PADDOCK_GUARDED_BY(mutex) = 0;
  std::atomic<double> rate = 0;
  std::string etag PADDOCK_GUARDED_BY(mutex);
  std::shared_ptr<TokenBucket> bandwidth PADDOCK_GUARDED_BY(mutex);

  // Notes the call, waits at its gate, and says how it fails, if it does. By value: the caller's line may be gone.
  static Task<Result<void>> enter(std::shared_ptr<State> self, std::string call);
  static Task<Result<void>> wait_at_gate(std::shared_ptr<State> self, std::function<bool(const State&)> closed);
  [[nodiscard]] bool gate_closed(const std::string& call) const;
  bool takes_single_gate(const std::string& call);
  [[nodiscard]] bool all_released() const;
  [[nodiscard]] bool blob_gate_closed(std::uint64_t at) const;
  Result<void> failure_of(const std::string& call);
  Repository* find(std::string_view repository) PADDOCK_REQUIRES(mutex);
};

bool FakeUpstream::State::gate_closed(const std::string& call) const {
  const MutexLock lock(mutex);
  return std::ranges::any_of(gates, [&](const std::string& match) { return call.contains(match); });
}

bool FakeUpstream::State::takes_single_gate(const std::string& call) {
  const MutexLock lock(mutex);
  return std::erase_if(single_gates, [&](const std::string& match) { return call.contains(match); }) > 0;
}

bool FakeUpstream::State::all_released() const {
  const MutexLock lock(mutex);
  return released_all;
}

bool FakeUpstream::State::blob_gate_closed(std::uint64_t at) const {
  const MutexLock lock(mutex);
  return blob_gate && at >= *blob_gate;
}

Task<Result<void>> FakeUpstream::State::wait_at_gate(std::shared_ptr<State> self,
                                                     std::function<bool(const State&)> closed) {
  const auto executor = co_await asio::this_coro::executor;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const auto count = [&](int change) {
    const MutexLock lock(self->mutex);
    self->held += static_cast<std::size_t>(change);
    self->changed.notify_all();
  };
  auto waiter = self->released.subscribe(executor);
  if (!closed(*self)) co_return Result<void>();
  count(1);
  bool open = false;
  while (!open && co_await waiter.wait_until(deadline)) {
    waiter = self->released.subscribe(executor);
    open = !closed(*self);
  }
  count(-1);
  if (!open) co_return fail(ErrorCode::timeout, Blame::upstream, "the test never released this call");
  co_return Result<void>();
}

Task<Result<void>> FakeUpstream::State::enter(std::shared_ptr<State> self, std::string call) {
  {
    const MutexLock lock(self->mutex);
    self->calls.push_back(call);
    self->changed.notify_all();
  }
  const bool single = self->takes_single_gate(call);
  const std::function<bool(const State&)> closed = [&call, single](const State& state) {
    return state.gate_closed(call) || (single && !state.all_released());
  };
  auto passed = co_await wait_at_gate(self, closed);
  if (!passed) co_return passed;
  co_return self->failure_of(call);
}

Result<void> FakeUpstream::State::failure_of(const std::string& call) {
  const MutexLock lock(mutex);
  const auto failure = std::ranges::find_if(failures, [&](const Failure& f) { return call.contains(f.match); });
  if (failure == failures.end()) return {};
  Error error = failure->error;
  if (!failure->forever && --failure->left == 0) failures.erase(failure);
  return std::unexpected(std::move(error));
}

Repository* FakeUpstream::State::find(std::string_view repository) {
  const auto found = repositories.find(repository);
  return found == repositories.end() ? nullptr : &found->second;
}

// One blob on its way; lives in BlobTransfer::read.
struct FakeUpstream::Transfer {
  Transfer(std::shared_ptr<State> owner, Bytes content) : state(std::move(owner)), bytes(std::move(content)) {
    const MutexLock lock(state->mutex);
    state->most_transfers = std::max(state->most_transfers, ++state->transfers);
  }
  ~Transfer() {
    const MutexLock lock(state->mutex);
    --state->transfers;
    state->changed.notify_all();
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  static Task<Result<std::size_t>> read(std::shared_ptr<Transfer> self, std::span<std::byte> out) {
    const std::function<bool(const State&)> closed = [&self](const State& state) {
      return !self->aborted && (state.blob_gate_closed(self->given) || self->own_gate_closed());
    };
    if (auto passed = co_await State::wait_at_gate(self->state, closed); !passed) {
      co_return std::unexpected(std::move(passed).error());
    }
    auto given = self->give(out);
    const double rate = self->state->rate;
    if (given && rate > 0) {
      const std::chrono::duration<double> time(static_cast<double>(*given) / rate);
      asio::steady_timer timer(co_await asio::this_coro::executor,
                               std::chrono::duration_cast<std::chrono::nanoseconds>(time));
      co_await timer.async_wait(asio::use_awaitable);
    }
    co_return given;
  }

  bool own_gate_closed() const {
    const MutexLock lock(state->mutex);
    return gate && given >= *gate && !state->released_all;
  }

  void abort() {
    aborted = true;
    state->released.notify_all();
  }

  Result<std::size_t> give(std::span<std::byte> out) {
    if (aborted) return fail(ErrorCode::unavailable, Blame::upstream, "aborted", true);
    const MutexLock lock(state->mutex);
    if (broken && given >= broken->first) return std::unexpected(broken->second);
    std::uint64_t n = std::min<std::uint64_t>({out.size(), end - position, state->read_limit});
    if (broken) n = std::min(n, broken->first - given);
    for (const auto& at : {state->blob_gate, gate}) {
      if (at && *at > given) n = std::min(n, *at - given);
    }
    std::memcpy(out.data(), bytes->data() + position, n);
    position += n;
    given += n;
    state->given += n;
    return static_cast<std::size_t>(n);
  }

  std::shared_ptr<State> state;
  Bytes bytes;
  std::atomic<bool> aborted = false;
  std::optional<std::uint64_t> gate{};
  std::uint64_t position = 0, end = 0, given = 0;
  std::optional<std::pair<std::uint64_t, Error>> broken{};
};

FakeUpstream::FakeUpstream(std::string name) : name_(std::move(name)), state_(std::make_shared<State>()) {}

Digest FakeUpstream::add_blob(std::string_view repository, std::string content) {
  const Digest digest = Digest::of(content);
  add_blob_as(repository, digest, std::move(content));
  return digest;
}

void FakeUpstream::add_blob_as(std::string_view repository, const Digest& digest, std::string content) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].blobs[digest] = std::make_shared<const std::string>(std::move(content));
}

Digest FakeUpstream::add_manifest(std::string_view repository, std::string content, std::string_view media_type,
                                  std::string_view tag) {
  const Digest digest = Digest::of(content);
  const MutexLock lock(state_->mutex);
  auto& stored = state_->repositories[std::string(repository)];
  stored.manifests.insert_or_assign(
      digest, StoredManifest{std::make_shared<const std::string>(std::move(content)), std::string(media_type)});
  if (!tag.empty()) stored.tags.insert_or_assign(std::string(tag), digest);
  return digest;
}

void FakeUpstream::set_tag(std::string_view repository, std::string_view tag, const Digest& digest) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].tags.insert_or_assign(std::string(tag), digest);
}

void FakeUpstream::remove_tag(std::string_view repository, std::string_view tag) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].tags.erase(std::string(tag));
}

void FakeUpstream::set_referrers(std::string_view repository, const Digest& digest, std::string json) {
  const MutexLock lock(state_->mutex);
  state_->repositories[std::string(repository)].referrers.insert_or_assign(digest, std::move(json));
}

void FakeUpstream::fail_calls(std::string match, Error error, std::size_t times) {
  const MutexLock lock(state_->mutex);
  state_->failures.push_back({std::move(match), std::move(error), times, times == 0});
}

void FakeUpstream::clear_failures() {
  const MutexLock lock(state_->mutex);
  state_->failures.clear();
}

void FakeUpstream::break_next_blob(std::uint64_t after, Error error) {
  const MutexLock lock(state_->mutex);
  state_->broken_blob.emplace(after, std::move(error));
}

void FakeUpstream::ignore_ranges(bool on) {
  const MutexLock lock(state_->mutex);
  state_->ignore_ranges = on;
}

void FakeUpstream::hide_sizes(bool on) {
  const MutexLock lock(state_->mutex);
  state_->hide_sizes = on;
}

void FakeUpstream::announce_size(std::optional<std::uint64_t> size) {
  const MutexLock lock(state_->mutex);
  state_->announced_size = size;
}

void FakeUpstream::limit_reads(std::size_t most) {
  const MutexLock lock(state_->mutex);
  state_->read_limit = most;
}

void FakeUpstream::hold(std::string match) {
  const MutexLock lock(state_->mutex);
  state_->gates.push_back(std::move(match));
}

void FakeUpstream::hold_blobs_at(std::uint64_t offset) {
  const MutexLock lock(state_->mutex);
  state_->blob_gate = offset;
}

void FakeUpstream::release() {
  {
    const MutexLock lock(state_->mutex);
    state_->gates.clear();
    state_->blob_gate.reset();
    state_->released_all = true;
  }
  state_->released.notify_all();
}

bool FakeUpstream::wait_for_held(std::size_t n) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(state_->mutex);
  while (state_->held < n) {
    if (!state_->changed.wait_until(state_->mutex, deadline)) return false;
  }
  return true;
}

std::vector<std::string> FakeUpstream::calls(std::string_view match) const {
  const MutexLock lock(state_->mutex);
  std::vector<std::string> found;
  std::ranges::copy_if(state_->calls, std::back_inserter(found),
                       [&](const std::string& call) { return call.contains(match); });
  return found;
}

std::uint64_t FakeUpstream::blob_bytes() const {
  const MutexLock lock(state_->mutex);
  return state_->given;
}

void FakeUpstream::hold_one(std::string match) {
  const MutexLock lock(state_->mutex);
  state_->single_gates.push_back(std::move(match));
  state_->released_all = false;
}

void FakeUpstream::hold_next_transfer_at(std::uint64_t offset) {
  const MutexLock lock(state_->mutex);
  state_->next_gate = offset;
  state_->released_all = false;
}

void FakeUpstream::distrust(const std::string& source, Doubt doubt) {
  constexpr std::array<std::string_view, 3> names{"possible", "likely", "certain"};
  const MutexLock lock(state_->mutex);
  state_->calls.push_back("distrust " + source + ' ' + std::string(names.at(static_cast<std::size_t>(doubt))));
}

void FakeUpstream::throttle(double rate) { state_->rate = rate; }

void FakeUpstream::set_bandwidth(std::shared_ptr<TokenBucket> bandwidth) {
  const MutexLock lock(state_->mutex);
  state_->bandwidth = std::move(bandwidth);
}

void FakeUpstream::set_etag(std::string etag) {
  const MutexLock lock(state_->mutex);
  state_->etag = std::move(etag);
}

std::size_t FakeUpstream::most_open_transfers() const {
  const MutexLock lock(state_->mutex);
  return state_->most_transfers;
}

std::size_t FakeUpstream::open_transfers() const {
  const MutexLock lock(state_->mutex);
  return state_->transfers;
}

Task<Result<ManifestInfo>> FakeUpstream::head_manifest(std::string repository, std::string reference) {
  auto entered = co_await State::enter(state_, "head_manifest " + repository + ' ' + reference);
  if (!entered) co_return std::unexpected(std::move(entered).error());
  auto found = lookup(repository, reference);
  if (!found) co_return std::unexpected(std::move(found).error());
  co_return ManifestInfo{found->digest, found->media_type, found->content.size()};
}

Task<Result<FetchedManifest>> FakeUpstream::get_manifest(std::string repository, std::string reference) {
  auto entered = co_await State::enter(state_, "get_manifest " + repository + ' ' + reference);
  if (!entered) co_return std::unexpected(std::move(entered).error());
  co_return lookup(repository, reference);
}

Result<FetchedManifest> FakeUpstream::lookup(const std::string& name, const std::string& reference) const {
  const MutexLock lock(state_->mutex);
  const auto* repository = state_->find(name);
  if (repository == nullptr) return absent(name);
  const auto tag = repository->tags.find(reference);
  const auto digest = tag != repository->tags.end() ? Result<Digest>(tag->second) : Digest::parse(reference);
  const auto manifest = digest ? repository->manifests.find(*digest) : repository->manifests.end();
  if (manifest == repository->manifests.end()) return absent(reference);
  return FetchedManifest{*digest, manifest->second.media_type, *manifest->second.content};
}

Task<Result<BlobInfo>> FakeUpstream::head_blob(std::string repository, Digest digest) {
  auto entered = co_await State::enter(state_, "head_blob " + repository + ' ' + digest.to_string());
  if (!entered) co_return std::unexpected(std::move(entered).error());
  const MutexLock lock(state_->mutex);
  const auto* found = state_->find(repository);
  if (found == nullptr || !found->blobs.contains(digest)) co_return absent(digest.to_string());
  co_return BlobInfo{state_->announced_size.value_or(found->blobs.at(digest)->size())};
}

Task<Result<BlobTransfer>> FakeUpstream::get_blob(std::string repository, Digest digest, std::uint64_t offset,
                                                  std::optional<std::uint64_t> length) {
  auto entered =
      co_await State::enter(state_, "get_blob " + repository + ' ' + digest.to_string() + ' ' + std::to_string(offset));
  if (!entered) co_return std::unexpected(std::move(entered).error());
  co_return start_transfer(repository, digest, offset, length);
}

Result<BlobTransfer> FakeUpstream::start_transfer(const std::string& name, const Digest& digest, std::uint64_t offset,
                                                  std::optional<std::uint64_t> length) {
  Bytes bytes;
  {
    const MutexLock lock(state_->mutex);
    const auto* repository = state_->find(name);
    if (repository == nullptr || !repository->blobs.contains(digest)) return absent(digest.to_string());
    bytes = repository->blobs.at(digest);
  }
  auto transfer = std::make_shared<Transfer>(state_, bytes);
  const MutexLock lock(state_->mutex);
  const bool whole = state_->ignore_ranges;
  if (!whole && offset > 0 && offset >= bytes->size()) {
    return fail(ErrorCode::protocol, Blame::upstream, "a range past the end of the blob");
  }
  transfer->position = whole ? 0 : offset;
  transfer->end =
      whole ? bytes->size() : std::min<std::uint64_t>(bytes->size(), offset + length.value_or(bytes->size()));
  transfer->gate = std::exchange(state_->next_gate, std::nullopt);
  transfer->broken = std::exchange(state_->broken_blob, std::nullopt);
  const auto size = state_->hide_sizes ? std::nullopt : std::optional<std::uint64_t>(bytes->size());
  return BlobTransfer{.offset = transfer->position,
                      .end = state_->hide_sizes ? std::nullopt : std::optional<std::uint64_t>(transfer->end),
                      .size = size,
                      .source = name_,
                      .etag = state_->etag,
                      .bandwidth = state_->bandwidth,
                      .read = [transfer](auto out) { return Transfer::read(transfer, out); },
                      .abort = [transfer] { transfer->abort(); }};
}

Task<Result<TagPage>> FakeUpstream::list_tags(std::string repository, std::size_t limit, std::string last) {
  auto entered = co_await State::enter(state_, "list_tags " + repository);
  if (!entered) co_return std::unexpected(std::move(entered).error());
  const MutexLock lock(state_->mutex);
  const auto* found = state_->find(repository);
  if (found == nullptr) co_return absent(repository);
  TagPage page;
  for (const auto& [tag, digest] : found->tags) {
    if (tag <= last) continue;
    page.more = page.tags.size() == limit;
    if (page.more) break;
    page.tags.push_back(tag);
  }
  co_return page;
}

Task<Result<std::string>> FakeUpstream::referrers(std::string repository, Digest digest) {
  auto entered = co_await State::enter(state_, "referrers " + repository + ' ' + digest.to_string());
  if (!entered) co_return std::unexpected(std::move(entered).error());
  const MutexLock lock(state_->mutex);
  const auto* found = state_->find(repository);
  if (found == nullptr || !found->referrers.contains(digest)) co_return absent("a referrers index");
  co_return found->referrers.at(digest);
}

}  // namespace paddock::test
