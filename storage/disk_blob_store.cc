#include "storage/disk_blob_store.h"

#include <spdlog/spdlog.h>
#include <utility>

namespace paddock {
namespace {

std::unexpected<Error> absent(const Digest& digest) {
  return fail(ErrorCode::not_found, Blame::us, "no blob " + digest.to_string());
}

}  // namespace

DiskBlobStore::DiskBlobStore(FileSystem& fs, DataPaths paths, Catalog& catalog, Space& space, const Clock& clock,
                             Options options)
    : fs_(fs),
      paths_(std::move(paths)),
      catalog_(catalog),
      space_(space),
      clock_(clock),
      options_(std::move(options)),
      suspended_(fs, paths_, space, clock, options_.boot) {}

// --- reading ---

Result<Blob> DiskBlobStore::open_file(const Digest& digest, std::uint64_t expected) {
  auto file = fs_.open(paths_.blob(digest), FileSystem::Open::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size != expected) {
    return fail(ErrorCode::corrupt, Blame::us,
                paths_.blob(digest).string() + " has " + std::to_string(*size) + " bytes instead of " +
                    std::to_string(expected));
  }
  return Blob{.file = std::move(*file), .size = expected};
}

Result<Blob> DiskBlobStore::open(const Digest& digest) {
  auto row = catalog_.blob(digest);
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row) return absent(digest);
  auto blob = open_file(digest, (*row)->size);
  if (!blob) {
    // Look again with nobody else at work on this digest, then mend.
    const MutexLock lock(lock_of(digest));
    row = catalog_.blob(digest);
    if (!row) return std::unexpected(std::move(row.error()));
    if (!*row) return absent(digest);
    blob = open_file(digest, (*row)->size);
    if (!blob) {
      const bool wrong = blob.error().code == ErrorCode::corrupt;
      if (!wrong && blob.error().code != ErrorCode::not_found) return blob;
      if (auto there = check_present(fs_, paths_); !there) return std::unexpected(std::move(there).error());
      spdlog::warn("dropping blob {}: {}", digest.to_string(), blob.error().context);
      if (wrong) discard(paths_.blob(digest));
      if (auto forgotten = forget_row(digest); !forgotten) return std::unexpected(std::move(forgotten.error()));
      return absent(digest);
    }
  }
  if (options_.on_use) options_.on_use(digest);
  return blob;
}

Result<void> DiskBlobStore::forget_row(const Digest& digest) {
  const auto row = catalog_.blob(digest);
  if (!row) return std::unexpected(row.error());
  if (!*row) return {};
  if (auto erased = catalog_.erase_blob(digest); !erased) return erased;
  space_.remove_stored((*row)->size);
  return {};
}

Result<std::uint64_t> DiskBlobStore::erase(const Digest& digest) {
  const MutexLock lock(lock_of(digest));
  std::uint64_t freed = 0;
  if (const auto file = fs_.open(paths_.blob(digest), FileSystem::Open::read)) freed = (*file)->size().value_or(0);
  const auto removed = fs_.remove(paths_.blob(digest));
  const bool was_there = removed.has_value();
  if (!was_there && removed.error().code != ErrorCode::not_found) return std::unexpected(removed.error());
  const auto row = catalog_.blob(digest);
  if (!row) return std::unexpected(row.error());
  if (!was_there && !*row) return absent(digest);
  if (auto forgotten = forget_row(digest); !forgotten) return std::unexpected(std::move(forgotten.error()));
  return freed;
}

void DiskBlobStore::discard(const std::filesystem::path& path) {
  const auto removed = fs_.remove(path);
  if (removed || removed.error().code == ErrorCode::not_found) return;
  spdlog::warn("a file that nobody needs stays until the next start: {}", removed.error().context);
}

// --- filling ---

Result<std::shared_ptr<PartialBlob>> DiskBlobStore::begin(const Digest& digest, std::optional<std::uint64_t> size) {
  return exclusively(digest, [&] { return create_partial(digest, size); });
}

Result<std::shared_ptr<PartialBlob>> DiskBlobStore::resume(const Digest& digest) {
  return exclusively(digest, [&] { return reopen_partial(digest); });
}

DiskBlobStore::Made DiskBlobStore::exclusively(const Digest& digest, const std::function<Made()>& make) {
  {
    const MutexLock lock(active_mutex_);
    if (!active_.try_emplace(digest, nullptr).second) {
      return fail(ErrorCode::conflict, Blame::us, digest.to_string() + " is being filled already");
    }
  }
  auto partial = make();
  if (!partial) {
    forget_active(digest);
    return partial;
  }
  const MutexLock lock(active_mutex_);
  active_[digest] = partial->get();
  return partial;
}

DiskBlobStore::Made DiskBlobStore::create_partial(const Digest& digest, std::optional<std::uint64_t> size) {
  auto reservation = space_.reserve(size.value_or(0));
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  auto journal = suspended_.journal(digest);
  auto suspended = suspended_.take(digest);
  const auto path = paths_.partial(digest);
  // Whatever is left of an earlier journal says what a file has that is about to be emptied.
  Result<std::unique_ptr<File>> file;
  if (auto erased = journal->erase(); !erased) {
    file = std::unexpected(std::move(erased).error());
  } else {
    file = create_file(path);
  }
  if (!file) {
    if (suspended) suspended_.keep(digest, *std::move(suspended));
    return std::unexpected(std::move(file.error()));
  }
  return std::make_shared<PartialBlob>(digest, size, path, std::move(*file), std::move(*reservation),
                                       std::move(journal));
}

DiskBlobStore::Made DiskBlobStore::reopen_partial(const Digest& digest) {
  auto progress = suspended_.take(digest);
  if (!progress) return fail(ErrorCode::not_found, Blame::us, "no suspended fill of " + digest.to_string());
  auto partial = reopen(digest, *progress);
  if (partial) return partial;
  if (partial.error().code == ErrorCode::not_found) {
    auto there = check_present(fs_, paths_);
    if (there) return partial;  // its file is gone, or too short: begin() makes another
    partial = std::unexpected(std::move(there).error());
  }
  suspended_.keep(digest, *std::move(progress));
  return partial;
}

DiskBlobStore::Made DiskBlobStore::reopen(const Digest& digest, const PartialProgress& progress) {
  const auto path = paths_.partial(digest);
  auto file = fs_.open(path, FileSystem::Open::update);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto length = (*file)->size();
  if (!length) return std::unexpected(length.error());
  if (*length < progress.extents.runs().rbegin()->second) {
    discard(path);
    return fail(ErrorCode::not_found, Blame::us, path.string() + " is shorter than what it had");
  }
  auto reservation = space_.reserve(0);
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  reservation->adopt(progress.extents.total());
  if (auto grown = reservation->grow_to(progress.size); !grown) return std::unexpected(std::move(grown).error());
  return std::make_shared<PartialBlob>(digest, progress.size, path, std::move(*file), std::move(*reservation),
                                       suspended_.journal(digest), progress.extents);
}

bool DiskBlobStore::owns(const PartialBlob& partial) {
  const MutexLock lock(active_mutex_);
  const auto it = active_.find(partial.digest());
  return it != active_.end() && it->second == &partial;
}

void DiskBlobStore::forget_active(const Digest& digest) {
  const MutexLock lock(active_mutex_);
  active_.erase(digest);
}

Result<void> DiskBlobStore::commit(PartialBlob& partial) {
  if (!owns(partial)) return fail(ErrorCode::conflict, Blame::us, "this partial blob is not being filled any more");
  Result<void> done = partial.verify();
  if (done) done = partial.sync_data();
  if (done) done = publish(partial.digest(), partial.path(), *partial.size(), partial.reservation());
  if (!done) {
    abandon(partial, done.error());
    return done;
  }
  partial.mark_committed();
  partial.forget_progress();
  forget_active(partial.digest());
  return {};
}

void DiskBlobStore::abandon(PartialBlob& partial, Error why) {
  if (!owns(partial)) return;
  partial.fail(std::move(why));
  partial.release_space();
  partial.forget_progress();
  discard(partial.path());
  forget_active(partial.digest());
}

bool DiskBlobStore::suspend(PartialBlob& partial, Error why) {
  if (!owns(partial)) return false;
  auto progress = partial.suspend(why);
  if (!progress) {
    abandon(partial, std::move(why));
    return false;
  }
  partial.release_space();
  suspended_.keep(partial.digest(), *std::move(progress));
  forget_active(partial.digest());
  return true;
}

Result<void> DiskBlobStore::ensure_folder(const Digest& digest) {
  const auto folder = paths_.blob(digest).parent_path();
  const MutexLock lock(folders_mutex_);
  if (durable_folders_.contains(folder)) return {};
  if (auto made = fs_.create_directories(folder); !made) return made;
  // Even if it was there: whoever made it may have died before its name was durable.
  for (auto at = folder.parent_path(); at != paths_.root(); at = at.parent_path()) {
    if (auto synced = fs_.sync_directory(at); !synced) return synced;
  }
  durable_folders_.insert(folder);
  return {};
}

// For one that was there once and was removed since; not in place of a data folder that is gone or unmounted.
Result<void> DiskBlobStore::renew_folder(const Digest& digest) {
  if (auto there = check_present(fs_, paths_); !there) return there;
  {
    const MutexLock lock(folders_mutex_);
    durable_folders_.erase(paths_.blob(digest).parent_path());
  }
  return ensure_folder(digest);
}

// As above, with the folder of what is on its way.
Result<std::unique_ptr<File>> DiskBlobStore::create_file(const std::filesystem::path& path) {
  auto file = fs_.open(path, FileSystem::Open::create);
  if (file || file.error().code != ErrorCode::not_found) return file;
  if (auto there = check_present(fs_, paths_); !there) return std::unexpected(std::move(there).error());
  if (auto made = fs_.create_directories(path.parent_path()); !made) return std::unexpected(std::move(made).error());
  return fs_.open(path, FileSystem::Open::create);
}

Result<void> DiskBlobStore::publish(const Digest& digest, const std::filesystem::path& from, std::uint64_t size,
                                    Reservation& reservation) {
  if (auto folder = ensure_folder(digest); !folder) return folder;
  const auto to = paths_.blob(digest);
  const MutexLock lock(lock_of(digest));
  auto renamed = fs_.rename(from, to);
  if (!renamed && renamed.error().code == ErrorCode::not_found) {
    renamed = renew_folder(digest);
    if (renamed) renamed = fs_.rename(from, to);
  }
  if (!renamed) return renamed;
  Result<void> done = fs_.sync_directory(to.parent_path());
  if (done) done = forget_row(digest);  // of what the rename replaced
  if (done) done = catalog_.put_blob(digest, {.size = size, .last_used = clock_.wall()});
  if (!done) {
    discard(to);
    if (const auto forgotten = forget_row(digest); !forgotten) {
      spdlog::warn("a row without a file stays until it is met: {}", forgotten.error().context);
    }
    return done;
  }
  reservation.commit(size);
  return {};
}

Result<void> DiskBlobStore::write_temporary(const std::filesystem::path& path, std::string_view content) {
  auto file = create_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(content))); !written) return written;
  return (*file)->sync_data();
}

Result<void> DiskBlobStore::put(const Digest& digest, std::string_view content) {
  if (const Digest actual = Digest::of(content, digest.algorithm()); actual != digest) {
    return fail(ErrorCode::digest_mismatch, Blame::upstream,
                "the bytes of " + digest.to_string() + " have the digest " + actual.to_string());
  }
  if (const auto row = catalog_.blob(digest); row && *row && open_file(digest, (*row)->size)) return {};
  auto reservation = space_.reserve(content.size());
  if (!reservation) return std::unexpected(std::move(reservation.error()));
  auto temporary = paths_.partial(digest);
  temporary += "." + std::to_string(next_put_++) + ".put";
  Result<void> done = write_temporary(temporary, content);
  if (done) done = publish(digest, temporary, content.size(), *reservation);
  if (!done) discard(temporary);
  return done;
}

}  // namespace paddock
