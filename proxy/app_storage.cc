#include "proxy/app_storage.h"

#include <utility>

#include "storage/caching_catalog.h"

namespace paddock {
namespace {

std::uint64_t max_size(FileSystem& fs, const std::filesystem::path& root, const config::StorageOptions& options) {
  return options.max_size.resolve(fs.space(root).value_or(DiskSpace{}).total);
}

}  // namespace

Result<std::unique_ptr<Storage>> Storage::open(const config::StorageOptions& options, const Clock& clock) {
  auto fs = std::make_unique<PosixFileSystem>();
  auto folder = DataFolder::open(*fs, std::filesystem::absolute(options.path));
  if (!folder) return std::unexpected(std::move(folder).error());
  return std::unique_ptr<Storage>(new Storage(std::move(fs), *std::move(folder), options, clock));
}

Storage::Storage(std::unique_ptr<PosixFileSystem> fs, DataFolder folder, const config::StorageOptions& options,
                 const Clock& clock)
    : clock_(clock),
      fs_(std::move(fs)),
      folder_(std::move(folder)),
      space_(*fs_, {.folder = root(), .max_size = max_size(*fs_, root(), options), .min_free = options.min_free}),
      records_(*fs_, folder_.paths().records()) {}

Result<RecoveryReport> Storage::recover(std::function<bool(const Digest&)> in_use, OnProgress on_progress,
                                        std::timed_mutex& opening) {
  auto access = rocks_catalog_access(folder_.paths(), clock_);
  access.open = [&opening, open = std::move(access.open)] {
    const std::lock_guard lock(opening);
    return open();
  };
  auto recovered = paddock::recover(*fs_, folder_.paths(), space_, clock_, access,
                                    RecoveryOptions{.on_progress = std::move(on_progress)});
  if (!recovered) return std::unexpected(std::move(recovered).error());
  catalog_ = std::make_unique<CachingCatalog>(std::move(recovered->catalog));
  last_use_.emplace(*catalog_, clock_);
  blobs_.emplace(*fs_, folder_.paths(), *catalog_, space_, clock_,
                 DiskBlobStore::Options{.on_use = [this](const Digest& digest) { last_use_->record(digest); },
                                        .boot = current_boot()});
  if (auto removed = blobs_->suspended().load(); !removed) {
    return std::unexpected(std::move(removed).error().with("looking through unfinished fills"));
  }
  manifests_.emplace(*blobs_, records_, *catalog_);
  evictor_.emplace(*catalog_, *blobs_, *last_use_, clock_,
                   Evictor::Options{.slack = space_.usage().max_size / 100, .in_use = std::move(in_use)});
  space_.set_evictor([this](std::uint64_t bytes) {
    const auto freed = blobs_->suspended().drop(bytes);
    return freed < bytes ? freed + evictor_->evict(bytes - freed) : freed;
  });
  recovered_ = true;
  return recovered->report;
}

void Storage::set_limits(const config::StorageOptions& options) {
  space_.set_limits(max_size(*fs_, root(), options), options.min_free);
}

Result<void> Storage::readable() {
  if (auto read = catalog_->repositories(std::nullopt, 1); !read) return std::unexpected(std::move(read).error());
  return {};
}

Result<std::string> Storage::peek(const Digest& digest, std::uint64_t limit) {
  auto content = read_file(*fs_, folder_.paths().blob(digest), limit);
  if (content && Digest::of(*content, digest.algorithm()) != digest) {
    return fail(ErrorCode::corrupt, Blame::us, "the stored " + digest.to_string() + " is not what it should be");
  }
  return content;
}

Result<void> Storage::flush() {
  if (!catalog_) return {};
  if (auto written = last_use_->flush(); !written) return written;
  return catalog_->flush();
}

std::unexpected<Error> recovering() {
  return fail(ErrorCode::unavailable, Blame::us, "the store is being checked; try again in a moment", true);
}

}  // namespace paddock
