#include "tests/support/fault_file_system.h"

#include <algorithm>
#include <map>
#include <utility>

namespace paddock {

struct FaultFileSystem::Plan {
  mutable Mutex mutex;
  std::uint64_t calls PADDOCK_GUARDED_BY(mutex) = 0;
  std::map<Op, std::uint64_t> counts PADDOCK_GUARDED_BY(mutex);
  std::map<std::uint64_t, ErrorCode> at PADDOCK_GUARDED_BY(mutex);
  std::optional<std::pair<std::uint64_t, ErrorCode>> from PADDOCK_GUARDED_BY(mutex);
  std::map<Op, ErrorCode> kinds PADDOCK_GUARDED_BY(mutex);
  std::map<Path, ErrorCode> paths PADDOCK_GUARDED_BY(mutex);
  std::set<Path> hidden PADDOCK_GUARDED_BY(mutex);
  std::function<void(const Path&)> on_list PADDOCK_GUARDED_BY(mutex);
  std::optional<std::pair<std::uint64_t, ErrorCode>> bytes_left PADDOCK_GUARDED_BY(mutex);

  Result<void> check(Op op) {
    const MutexLock lock(mutex);
    ++counts[op];
    const bool changes = op != Op::open && op != Op::read;
    const std::uint64_t number = calls;
    if (changes) ++calls;
    if (const auto it = kinds.find(op); it != kinds.end()) return injected(it->second);
    if (!changes) return {};
    if (const auto it = at.find(number); it != at.end()) return injected(it->second);
    if (from && number >= from->first) return injected(from->second);
    return {};
  }

  Result<void> check(const Path& path) {
    const MutexLock lock(mutex);
    const auto it = paths.find(path);
    return it == paths.end() ? Result<void>{} : injected(it->second);
  }

  std::function<void(const Path&)> listing() {
    const MutexLock lock(mutex);
    return on_list;
  }

  void hide(const Path& folder, std::vector<DirectoryEntry>& entries) {
    const MutexLock lock(mutex);
    for (auto& entry : entries) {
      if (hidden.contains(folder / entry.name)) entry = {.name = entry.name, .is_unknown = true};
    }
  }

  // How much of `wanted` may be written, and what to say about the rest.
  std::pair<std::uint64_t, Result<void>> take(std::uint64_t wanted) {
    const MutexLock lock(mutex);
    if (!bytes_left) return {wanted, {}};
    const std::uint64_t granted = std::min(wanted, bytes_left->first);
    bytes_left->first -= granted;
    return {granted, granted < wanted ? injected(bytes_left->second) : Result<void>{}};
  }

  static Result<void> injected(ErrorCode code) { return fail(code, Blame::us, "injected fault"); }
};

// Outside the anonymous namespace, so that it can be a friend.
class FaultFile final : public File {
 public:
  FaultFile(std::unique_ptr<File> inner, std::shared_ptr<FaultFileSystem::Plan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (auto ok = plan_->check(FaultFileSystem::Op::read); !ok) return std::unexpected(ok.error());
    return inner_->read_at(offset, out);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (auto ok = plan_->check(FaultFileSystem::Op::write); !ok) return ok;
    auto [granted, rest] = plan_->take(bytes.size());
    if (auto written = inner_->write_at(offset, bytes.first(granted)); !written) return written;
    return rest;
  }
  Result<void> sync_data() override {
    if (auto ok = plan_->check(FaultFileSystem::Op::sync_data); !ok) return ok;
    return inner_->sync_data();
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return inner_->size(); }
  [[nodiscard]] int descriptor() const override { return inner_->descriptor(); }

 private:
  std::unique_ptr<File> inner_;
  std::shared_ptr<FaultFileSystem::Plan> plan_;
};

FaultFileSystem::FaultFileSystem(FileSystem& inner) : inner_(inner), plan_(std::make_shared<Plan>()) {}

void FaultFileSystem::fail_call(std::uint64_t number, ErrorCode code) {
  const MutexLock lock(plan_->mutex);
  plan_->at[number] = code;
}

void FaultFileSystem::fail_from(std::uint64_t number, ErrorCode code) {
  const MutexLock lock(plan_->mutex);
  plan_->from = {number, code};
}

void FaultFileSystem::fail_all(Op op, ErrorCode code) {
  const MutexLock lock(plan_->mutex);
  plan_->kinds[op] = code;
}

void FaultFileSystem::fail_after_bytes(std::uint64_t bytes, ErrorCode code) {
  const MutexLock lock(plan_->mutex);
  plan_->bytes_left = {bytes, code};
}

void FaultFileSystem::fail_path(const Path& path, ErrorCode code) {
  const MutexLock lock(plan_->mutex);
  plan_->paths[path] = code;
}

void FaultFileSystem::clear() {
  const MutexLock lock(plan_->mutex);
  plan_->at.clear();
  plan_->from.reset();
  plan_->kinds.clear();
  plan_->paths.clear();
  plan_->hidden.clear();
  plan_->bytes_left.reset();
}

std::uint64_t FaultFileSystem::calls() const {
  const MutexLock lock(plan_->mutex);
  return plan_->calls;
}

std::uint64_t FaultFileSystem::count(Op op) const {
  const MutexLock lock(plan_->mutex);
  const auto it = plan_->counts.find(op);
  return it == plan_->counts.end() ? 0 : it->second;
}

Result<std::unique_ptr<File>> FaultFileSystem::open(const Path& path, Open how) {
  if (auto ok = plan_->check(how == Open::create ? Op::create : Op::open); !ok) return std::unexpected(ok.error());
  if (auto ok = plan_->check(path); !ok) return std::unexpected(ok.error());
  auto file = inner_.open(path, how);
  if (!file) return file;
  return std::make_unique<FaultFile>(std::move(*file), plan_);
}

Result<void> FaultFileSystem::rename(const Path& from, const Path& to) {
  if (auto ok = plan_->check(Op::rename); !ok) return ok;
  return inner_.rename(from, to);
}

Result<void> FaultFileSystem::remove(const Path& path) {
  if (auto ok = plan_->check(Op::remove); !ok) return ok;
  return inner_.remove(path);
}

Result<void> FaultFileSystem::create_directories(const Path& path) {
  if (auto ok = plan_->check(Op::create_directories); !ok) return ok;
  return inner_.create_directories(path);
}

Result<void> FaultFileSystem::sync_directory(const Path& path) {
  if (auto ok = plan_->check(Op::sync_directory); !ok) return ok;
  return inner_.sync_directory(path);
}

Result<std::vector<DirectoryEntry>> FaultFileSystem::list(const Path& path) {
  if (const auto call = plan_->listing()) call(path);
  if (auto ok = plan_->check(path); !ok) return std::unexpected(ok.error());
  auto entries = inner_.list(path);
  if (entries) plan_->hide(path, *entries);
  return entries;
}

void FaultFileSystem::hide_path(const Path& path) {
  const MutexLock lock(plan_->mutex);
  plan_->hidden.insert(path);
}

void FaultFileSystem::on_list(std::function<void(const Path&)> call) {
  const MutexLock lock(plan_->mutex);
  plan_->on_list = std::move(call);
}

}  // namespace paddock
