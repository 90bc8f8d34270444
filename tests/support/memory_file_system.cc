#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace paddock {

struct MemoryFileSystem::Node {
  explicit Node(bool folder) : is_folder(folder) {}
  const bool is_folder;
  std::string bytes, synced_bytes;
  std::map<std::string, std::shared_ptr<Node>> names, synced_names;
};

struct MemoryFileSystem::Disk {
  Mutex mutex;
  std::uint64_t capacity PADDOCK_GUARDED_BY(mutex) = 0;
  std::shared_ptr<Node> root PADDOCK_GUARDED_BY(mutex) = std::make_shared<Node>(true);
  std::set<Path> locks PADDOCK_GUARDED_BY(mutex);

  std::shared_ptr<Node> find(const Path& path) PADDOCK_REQUIRES(mutex);
  std::uint64_t used() PADDOCK_REQUIRES(mutex);
};

namespace {

using Path = std::filesystem::path;
using Node = MemoryFileSystem::Node;
using PowerCut = MemoryFileSystem::PowerCut;

Path normal(const Path& path) {
  Path clean = path.lexically_normal();
  return clean.has_filename() ? clean : clean.parent_path();
}

std::unexpected<Error> missing(const Path& path) {
  return fail(ErrorCode::not_found, Blame::us, path.string() + ": no such file or folder");
}

std::uint64_t bytes_in(const Node& node) {
  std::uint64_t total = node.bytes.size();
  for (const auto& [name, child] : node.names) total += bytes_in(*child);
  return total;
}

void forget_unsynced(Node& node, PowerCut how) {
  if (node.is_folder) {
    if (how != PowerCut::lose_bytes) node.names = node.synced_names;
    node.synced_names = node.names;
    for (const auto& [name, child] : node.names) forget_unsynced(*child, how);
    return;
  }
  if (how == PowerCut::lose_all) {
    node.bytes = node.synced_bytes;
  } else if (how == PowerCut::lose_bytes) {
    std::string left = node.synced_bytes;
    left.resize(node.bytes.size(), '\0');
    node.bytes = std::move(left);
  }
  node.synced_bytes = node.bytes;
}

}  // namespace

std::shared_ptr<Node> MemoryFileSystem::Disk::find(const Path& path) {
  std::shared_ptr<Node> node = root;
  for (const Path& part : normal(path)) {
    if (part == "/" || part == ".") continue;
    const auto it = node->names.find(part.string());
    if (it == node->names.end()) return nullptr;
    node = it->second;
  }
  return node;
}

std::uint64_t MemoryFileSystem::Disk::used() { return bytes_in(*root); }

namespace {

template <typename Disk>
class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, bool writable)
      : disk_(std::move(disk)), node_(std::move(node)), writable_(writable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    const MutexLock lock(disk_->mutex);
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const auto there = std::as_bytes(std::span(node_->bytes)).subspan(offset);
    const std::size_t count = std::min(there.size(), out.size());
    std::ranges::copy(there.first(count), out.begin());
    return count;
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const MutexLock lock(disk_->mutex);
    if (!writable_) return fail(ErrorCode::io, Blame::us, "not open for writing");
    const std::uint64_t end = std::max<std::uint64_t>(node_->bytes.size(), offset + bytes.size());
    if (disk_->used() + (end - node_->bytes.size()) > disk_->capacity) {
      return fail(ErrorCode::no_space, Blame::us, "no space left on the disk");
    }
    node_->bytes.resize(end);
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(node_->bytes)).subspan(offset).begin());
    return {};
  }
  Result<void> sync_data() override {
    const MutexLock lock(disk_->mutex);
    node_->synced_bytes = node_->bytes;
    return {};
  }
  [[nodiscard]] Result<std::uint64_t> size() const override {
    const MutexLock lock(disk_->mutex);
    return node_->bytes.size();
  }

 private:
  std::shared_ptr<Disk> disk_;
  std::shared_ptr<Node> node_;
  bool writable_;
};

template <typename Disk>
class MemoryLock final : public FileLock {
 public:
  MemoryLock(std::shared_ptr<Disk> disk, Path path, std::shared_ptr<Node> node)
      : disk_(std::move(disk)), path_(std::move(path)), node_(std::move(node)) {}
  ~MemoryLock() override {
    const MutexLock lock(disk_->mutex);
    disk_->locks.erase(path_);
  }
  [[nodiscard]] bool in_place() const override {
    const MutexLock lock(disk_->mutex);
    return disk_->find(path_) == node_;
  }
  MemoryLock(const MemoryLock&) = delete;
  MemoryLock& operator=(const MemoryLock&) = delete;

 private:
  std::shared_ptr<Disk> disk_;
  Path path_;
  std::shared_ptr<Node> node_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(std::uint64_t capacity) : disk_(std::make_shared<Disk>()) { set_capacity(capacity); }

void MemoryFileSystem::set_capacity(std::uint64_t capacity) {
  const MutexLock lock(disk_->mutex);
  disk_->capacity = capacity;
}

Result<std::unique_ptr<File>> MemoryFileSystem::open(const Path& path, Open how) {
  const MutexLock lock(disk_->mutex);
  auto node = disk_->find(path);
  if (node && node->is_folder && how != Open::read) return fail(ErrorCode::io, Blame::us, path.string() + ": a folder");
  if (!node) {
    const auto folder = how == Open::create ? disk_->find(normal(path).parent_path()) : nullptr;
    if (!folder || !folder->is_folder) return missing(path);
    node = std::make_shared<Node>(false);
    folder->names[normal(path).filename().string()] = node;
  } else if (how == Open::create) {
    node->bytes.clear();
  }
  return std::make_unique<MemoryFile<Disk>>(disk_, std::move(node), how != Open::read);
}

Result<void> MemoryFileSystem::rename(const Path& from, const Path& to) {
  const MutexLock lock(disk_->mutex);
  const auto source = disk_->find(normal(from).parent_path());
  const auto target = disk_->find(normal(to).parent_path());
  const auto node = disk_->find(from);
  if (!source || !target || !node) return missing(from);
  source->names.erase(normal(from).filename().string());
  target->names[normal(to).filename().string()] = node;
  return {};
}

Result<void> MemoryFileSystem::remove(const Path& path) {
  const MutexLock lock(disk_->mutex);
  const auto node = disk_->find(path);
  if (!node) return missing(path);
  if (node->is_folder) return fail(ErrorCode::io, Blame::us, path.string() + ": is a folder");
  disk_->find(normal(path).parent_path())->names.erase(normal(path).filename().string());
  return {};
}

Result<void> MemoryFileSystem::create_directories(const Path& path) {
  const MutexLock lock(disk_->mutex);
  auto node = disk_->root;
  for (const Path& part : normal(path)) {
    if (part == "/" || part == ".") continue;
    auto& child = node->names[part.string()];
    if (!child) {
      child = std::make_shared<Node>(true);
      node->synced_names[part.string()] = child;
    }
    if (!child->is_folder) return fail(ErrorCode::io, Blame::us, path.string() + ": not a folder");
    node = child;
  }
  return {};
}

Result<void> MemoryFileSystem::sync_directory(const Path& path) {
  const MutexLock lock(disk_->mutex);
  const auto node = disk_->find(path);
  if (!node) return missing(path);
  node->synced_names = node->names;
  return {};
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const Path& path) {
  const MutexLock lock(disk_->mutex);
  const auto node = disk_->find(path);
  if (!node) return missing(path);
  if (!node->is_folder) return fail(ErrorCode::io, Blame::us, path.string() + ": not a folder");
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->names) {
    entries.push_back({.name = name, .is_directory = child->is_folder, .size = child->bytes.size()});
  }
  return entries;
}

Result<DiskSpace> MemoryFileSystem::space(const Path& path) {
  const MutexLock lock(disk_->mutex);
  if (!disk_->find(path)) return missing(path);
  const std::uint64_t used = disk_->used();
  const std::uint64_t left = disk_->capacity - std::min(used, disk_->capacity);
  return DiskSpace{.total = disk_->capacity, .available = left};
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const Path& path) {
  auto file = open(path, Open::create);
  if (!file) return std::unexpected(std::move(file.error()));
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (auto noted = (*file)->write_at(0, std::as_bytes(std::span(pid))); !noted) return std::unexpected(noted.error());
  const MutexLock lock(disk_->mutex);
  if (!disk_->locks.insert(normal(path)).second) {
    return fail(ErrorCode::conflict, Blame::us, path.string() + " is held by process " + std::to_string(::getpid()));
  }
  return std::make_unique<MemoryLock<Disk>>(disk_, normal(path), disk_->find(path));
}

void MemoryFileSystem::power_cut(PowerCut how) {
  const MutexLock lock(disk_->mutex);
  forget_unsynced(*disk_->root, how);
}

}  // namespace paddock
