#include "storage/rocks_catalog.h"

#include <exception>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "storage/catalog_codec.h"
#include "storage/mutex.h"
#include "storage/rocks_catalog_files.h"

namespace paddock {
namespace codec = catalog_codec;
using codec::Kind;
using Handle = std::shared_ptr<rocksdb::DB>;
namespace {
std::unexpected<Error> failure(const rocksdb::Status& status, std::string_view doing) {
  const auto code = status.IsCorruption() ? ErrorCode::corrupt
                    : status.IsNoSpace()  ? ErrorCode::no_space
                                          : ErrorCode::io;
  return fail(code, Blame::us, std::string("catalog: ").append(doing).append(": ").append(status.ToString()));
}

Result<void> checked(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return failure(status, doing);
}

class Sealer final : public rocksdb::EventListener {
 public:
  void OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) override {
    if (info.status.ok()) catalog_files::seal(info.file_path);
  }
  void OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) override {
    catalog_files::unseal(info.file_path);
  }
};

// RocksDB's own log file aborts the process when its disk fails; what matters comes as a status too.
class Silence final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options options() {
  rocksdb::Options out;
  out.create_if_missing = out.paranoid_checks = true;
  // The default drops everything after a damaged record in silence; we would rather rebuild.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  out.write_buffer_size = 2U << 20U;
  out.max_total_wal_size = 8U << 20U;
  out.max_open_files = 64;
  out.info_log = std::make_shared<Silence>();
  out.max_manifest_file_size = 4U << 20U;
  out.stats_dump_period_sec = out.stats_persist_period_sec = 0;
  out.listeners.push_back(std::make_shared<Sealer>());
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(4U << 20U);
  table.cache_index_and_filter_blocks = true;
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

template <typename Open>
Result<Handle> opened(const std::filesystem::path& folder, const Open& open) try {
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = open(options(), folder.string(), &raw);
  Handle db(raw);
  if (status.ok()) return db;
  const auto code = status.IsNoSpace()                              ? ErrorCode::no_space
                    : catalog_files::says_locked(status.ToString()) ? ErrorCode::conflict
                                                                    : ErrorCode::corrupt;  // or files are missing
  return fail(code, Blame::us, "catalog " + folder.string() + ": " + status.ToString());
} catch (const std::exception& e) {  // a damaged length may ask for any amount of memory
  return fail(ErrorCode::corrupt, Blame::us, "catalog " + folder.string() + ": " + e.what());
}

Result<Handle> open_database(const std::filesystem::path& folder, catalog_files::OpeningMark& mark) {
  auto ready = catalog_files::check_folder(folder);
  if (ready) ready = mark.put();
  if (!ready) return std::unexpected(std::move(ready).error());
  auto db = opened(folder, [](const auto& options, const auto& name, rocksdb::DB** db) {
    const auto status = rocksdb::DB::Open(options, name, db);
    return status.ok() ? (*db)->VerifyChecksum() : status;
  });
  mark.take_away();
  return db;
}

Result<Handle> open_to_read(const std::filesystem::path& folder) {  // changes no file
  if (auto good = catalog_files::check_tables(folder); !good) return std::unexpected(good.error());
  return opened(folder, [](const auto& options, const auto& name, rocksdb::DB** db) {
    return rocksdb::DB::OpenForReadOnly(options, name, db);
  });
}

template <typename T>
Result<std::optional<T>> read_row(rocksdb::DB& db, const std::string& key, Result<T> (*decode)(std::string_view)) {
  std::string value;
  const auto status = db.Get({}, key, &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failure(status, "read");
  auto record = decode(value);
  if (!record) return std::unexpected(std::move(record).error());
  return std::optional<T>(*std::move(record));
}

template <typename Visit>
Result<void> scan_rows(rocksdb::DB& db, const std::string& prefix, const std::string& from, const Visit& visit) {
  rocksdb::ReadOptions scanning;
  scanning.fill_cache = false;  // it would push everything else out
  const std::unique_ptr<rocksdb::Iterator> rows(db.NewIterator(scanning));
  for (rows->Seek(from); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
    const Result<bool> more = visit(rows->key().ToStringView(), rows->value().ToStringView());
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
  return checked(rows->status(), "scan");
}

}  // namespace

// After a failed write RocksDB refuses the next, or (built by Debian, with assertions) aborts the process. So a failed
// database answers reads only, and is opened anew by the next write that finds a working disk and no reader.
class RocksCatalog::Database {
 public:
  Database(std::filesystem::path folder, catalog_files::OpeningMark mark, Handle handle,
           std::chrono::milliseconds patience)
      : folder_(std::move(folder)), patience_(patience), mark_(std::move(mark)), handle_(std::move(handle)) {}

  Result<Handle> handle() {
    const MutexLock lock(mutex_);
    if (!handle_ && std::chrono::steady_clock::now() >= try_again_) open_for_reading();
    if (handle_) return handle_;
    return fail(ErrorCode::io, Blame::us, "the catalog is closed until its files can be read again", true);
  }

  // Writes what `fill(db, batch) -> Result<void>` makes of what it reads, with no other writer at work.
  template <typename Fill>
  Result<void> change(const Fill& fill) {
    const MutexLock lock(writing_);
    const auto db = writable();
    if (!db) return std::unexpected(db.error());
    rocksdb::WriteBatch batch;
    if (auto filled = fill(**db, batch); !filled || batch.Count() == 0) return filled;
    return noted((*db)->Write({}, &batch), "write");
  }
  Result<void> sync() {
    const MutexLock lock(writing_);
    const auto db = writable();
    if (!db) return std::unexpected(db.error());
    return noted((*db)->SyncWAL(), "sync");
  }
  Result<void> put(const std::string& key, const std::string& value) {
    return change([&](rocksdb::DB&, rocksdb::WriteBatch& batch) { return checked(batch.Put(key, value), "put"); });
  }
  Result<void> erase(const std::string& key) {
    return change([&](rocksdb::DB&, rocksdb::WriteBatch& batch) { return checked(batch.Delete(key), "erase"); });
  }
  template <typename T>
  Result<std::optional<T>> get(const std::string& key, Result<T> (*decode)(std::string_view)) {
    const auto db = handle();
    if (!db) return std::unexpected(db.error());
    return read_row(**db, key, decode);
  }
  Result<bool> has(const std::string& key) {
    const auto row = get<bool>(key, [](std::string_view) -> Result<bool> { return true; });
    if (!row) return std::unexpected(row.error());
    return row->has_value();
  }
  // visit(key, value) -> Result<bool>: whether to go on. Rows whose keys start with `prefix`, from `from` on.
  template <typename Visit>
  Result<void> scan(const std::string& prefix, const std::string& from, const Visit& visit) {
    const auto db = handle();  // held to the end, so that the database stays open
    if (!db) return std::unexpected(db.error());
    return scan_rows(**db, prefix, from, visit);
  }

 private:
  Result<Handle> writable() PADDOCK_REQUIRES(writing_) {
    if (!failed_) return handle();
    if (auto ready = catalog_files::check_writes(folder_); !ready) return std::unexpected(std::move(ready).error());
    const MutexLock lock(mutex_);
    if (handle_.use_count() > 1) {
      return fail(ErrorCode::io, Blame::us, "the catalog waits for its readers to be opened anew", true);
    }
    handle_.reset();
    auto fresh = open_database(folder_, mark_);
    failed_ = !fresh;
    if (fresh) handle_ = *fresh;
    if (!fresh) open_for_reading();
    return fresh;
  }
  Result<void> noted(const rocksdb::Status& status, std::string_view doing) PADDOCK_REQUIRES(writing_) {
    failed_ = !status.ok();
    return checked(status, doing);
  }
  void open_for_reading() PADDOCK_REQUIRES(mutex_) {
    handle_ = open_to_read(folder_).value_or(Handle());
    try_again_ = std::chrono::steady_clock::now() + patience_;
  }

  const std::filesystem::path folder_;
  const std::chrono::milliseconds patience_;
  Mutex writing_;  // before mutex_
  bool failed_ PADDOCK_GUARDED_BY(writing_) = false;
  Mutex mutex_;
  catalog_files::OpeningMark mark_ PADDOCK_GUARDED_BY(mutex_);
  Handle handle_ PADDOCK_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point try_again_ PADDOCK_GUARDED_BY(mutex_);  // to open it for reading
};

RocksCatalog::RocksCatalog(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksCatalog::~RocksCatalog() = default;

Result<std::unique_ptr<RocksCatalog>> RocksCatalog::open(const std::filesystem::path& folder,
                                                         std::chrono::milliseconds patience) {
  catalog_files::OpeningMark mark(folder);
  auto handle = open_database(folder, mark);
  if (!handle) return std::unexpected(std::move(handle).error());
  auto database = std::make_unique<Database>(folder, std::move(mark), *std::move(handle), patience);
  return std::unique_ptr<RocksCatalog>(new RocksCatalog(std::move(database)));
}

// --- blobs ---
Result<void> RocksCatalog::put_blob(const Digest& digest, const BlobRecord& record) {
  return database_->put(codec::key(Kind::blob, digest), codec::encode(record));
}
Result<std::optional<BlobRecord>> RocksCatalog::blob(const Digest& digest) {
  return database_->get(codec::key(Kind::blob, digest), codec::decode_blob);
}
Result<void> RocksCatalog::erase_blob(const Digest& digest) { return database_->erase(codec::key(Kind::blob, digest)); }

Result<void> RocksCatalog::touch(std::span<const std::pair<Digest, WallTime>> uses) {
  return database_->change([&](rocksdb::DB& db, rocksdb::WriteBatch& batch) -> Result<void> {
    for (const auto& [digest, when] : uses) {
      const auto key = codec::key(Kind::blob, digest);
      auto record = read_row(db, key, codec::decode_blob);
      if (!record) return std::unexpected(std::move(record).error());
      if (*record) batch.Put(key, codec::encode(BlobRecord{(*record)->size, when}));
    }
    return {};
  });
}

Result<void> RocksCatalog::for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) {
  const std::string all = codec::prefix(Kind::blob);
  return database_->scan(all, all, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto row = codec::decode_blob_row(key, value);
    if (!row) return std::unexpected(row.error());
    return visit(row->first, row->second);
  });
}

// --- manifests and links ---
Result<void> RocksCatalog::put_manifest(const RepositoryKey& repository, const Digest& digest,
                                        const ManifestRecord& record) {
  if (codec::has_nul(repository)) return codec::refused_nul();
  return database_->change([&](rocksdb::DB& db, rocksdb::WriteBatch& batch) -> Result<void> {
    const std::string mark = codec::encode_mark(), key = codec::key(Kind::manifest, digest);
    const auto known = read_row(db, key, codec::decode_manifest);
    if (!known) return std::unexpected(known.error());
    if (!*known) batch.Put(key, codec::encode(record));
    batch.Put(codec::key(Kind::holder, repository, digest), mark);
    batch.Put(codec::key(Kind::link, repository, digest), mark);
    if (!proves_children(record.media_type)) return {};
    for (const Digest& child : record.children) batch.Put(codec::key(Kind::link, repository, child), mark);
    return {};
  });
}

Result<std::optional<ManifestRecord>> RocksCatalog::manifest(const Digest& digest) {
  return database_->get(codec::key(Kind::manifest, digest), codec::decode_manifest);
}
Result<bool> RocksCatalog::holds(const RepositoryKey& repository, const Digest& manifest) {
  return database_->has(codec::key(Kind::holder, repository, manifest));
}

Result<void> RocksCatalog::erase_manifest(const Digest& digest) {
  return database_->change([&](rocksdb::DB& db, rocksdb::WriteBatch& batch) -> Result<void> {
    batch.Delete(codec::key(Kind::manifest, digest));
    const std::string tags = codec::prefix(Kind::tag);
    auto done = scan_rows(db, tags, tags, [&](std::string_view key, std::string_view value) -> Result<bool> {
      const auto record = codec::decode_tag(value);
      if (!record) return std::unexpected(record.error());
      if (record->digest == digest) batch.Delete(key);
      return true;
    });
    if (!done) return done;
    const std::string holders = codec::prefix(Kind::holder);
    return scan_rows(db, holders, holders, [&](std::string_view key, std::string_view) -> Result<bool> {
      const auto row = codec::parse_repository_key(key);
      if (!row) return std::unexpected(row.error());
      if (codec::key(Kind::holder, row->repository, digest) != key) return true;
      batch.Delete(key);
      batch.Delete(codec::key(Kind::link, row->repository, digest));
      return true;
    });
  });
}

Result<void> RocksCatalog::link(const RepositoryKey& repository, const Digest& digest) {
  if (codec::has_nul(repository)) return codec::refused_nul();
  return database_->put(codec::key(Kind::link, repository, digest), codec::encode_mark());
}
Result<bool> RocksCatalog::linked(const RepositoryKey& repository, const Digest& digest) {
  return database_->has(codec::key(Kind::link, repository, digest));
}

// --- tags ---
Result<void> RocksCatalog::put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) {
  if (codec::has_nul(repository) || codec::has_nul(tag)) return codec::refused_nul();
  return database_->put(codec::key(Kind::tag, repository, tag), codec::encode(record));
}
Result<std::optional<TagRecord>> RocksCatalog::tag(const RepositoryKey& repository, const std::string& tag) {
  return database_->get(codec::key(Kind::tag, repository, tag), codec::decode_tag);
}
Result<void> RocksCatalog::erase_tag(const RepositoryKey& repository, const std::string& tag) {
  return database_->erase(codec::key(Kind::tag, repository, tag));
}

Result<void> RocksCatalog::for_each_tag(
    const std::function<bool(const RepositoryKey&, const std::string&, const TagRecord&)>& visit) {
  const std::string all = codec::prefix(Kind::tag);
  return database_->scan(all, all, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto row = codec::decode_tag_row(key, value);
    if (!row) return std::unexpected(row.error());
    return visit(row->repository, row->tag, row->record);
  });
}

Result<std::vector<std::string>> RocksCatalog::tags(const RepositoryKey& repository, std::string_view last,
                                                    std::size_t limit) {
  std::vector<std::string> out;
  if (limit == 0) return out;
  const std::string prefix = codec::prefix(Kind::tag, repository);
  auto done = database_->scan(prefix, prefix + std::string(last), [&](std::string_view key, std::string_view) {
    const auto tag = key.substr(prefix.size());
    if (last.empty() || tag != last) out.emplace_back(tag);
    return Result<bool>(out.size() < limit);
  });
  if (!done) return std::unexpected(std::move(done).error());
  return out;
}

Result<std::vector<RepositoryKey>> RocksCatalog::repositories(const std::optional<RepositoryKey>& last,
                                                              std::size_t limit) {
  std::vector<RepositoryKey> out;
  if (limit == 0) return out;
  const std::string all = codec::prefix(Kind::holder);
  const auto db = database_->handle();
  if (!db) return std::unexpected(db.error());
  const std::unique_ptr<rocksdb::Iterator> rows((*db)->NewIterator({}));
  rows->Seek(last ? codec::after(codec::prefix(Kind::holder, *last)) : all);
  while (rows->Valid() && rows->key().starts_with(all) && out.size() < limit) {
    auto row = codec::parse_repository_key(rows->key().ToStringView());
    if (!row) return std::unexpected(std::move(row).error());
    const std::string next = codec::after(codec::prefix(Kind::holder, row->repository));
    out.push_back(std::move(row->repository));
    rows->Seek(next);  // over the other manifests of this one
  }
  if (!rows->status().ok()) return failure(rows->status(), "scan");
  return out;
}

// --- pins ---
Result<void> RocksCatalog::put_pin(const PinRecord& pin) {
  if (codec::has_nul(pin.repository) || codec::has_nul(pin.reference)) return codec::refused_nul();
  return database_->put(codec::key(Kind::pin, pin.repository, pin.reference), codec::encode_pin(pin));
}
Result<void> RocksCatalog::erase_pin(const RepositoryKey& repository, const std::string& reference) {
  return database_->erase(codec::key(Kind::pin, repository, reference));
}

Result<std::vector<PinRecord>> RocksCatalog::pins() {
  std::vector<PinRecord> out;
  const std::string all = codec::prefix(Kind::pin);
  auto done = database_->scan(all, all, [&](std::string_view key, std::string_view value) -> Result<bool> {
    auto pin = codec::decode_pin(key, value);
    if (!pin) return std::unexpected(std::move(pin).error());
    out.push_back(*std::move(pin));
    return true;
  });
  if (!done) return std::unexpected(std::move(done).error());
  return out;
}

Result<void> RocksCatalog::clear() {
  return database_->change([](rocksdb::DB& db, rocksdb::WriteBatch& batch) {
    return checked(batch.DeleteRange(db.DefaultColumnFamily(), "", "\xff"), "clear");  // kinds are letters
  });
}
Result<void> RocksCatalog::flush() { return database_->sync(); }

}  // namespace paddock
