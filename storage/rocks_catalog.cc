#include "storage/rocks_catalog.h"

#include <exception>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <system_error>
#include <unistd.h>

#include "storage/catalog_codec.h"
#include "storage/mutex.h"

namespace paddock {

namespace codec = catalog_codec;
using codec::Kind;

namespace {

std::unexpected<Error> failure(const rocksdb::Status& status, std::string_view doing) {
  auto code = ErrorCode::io;
  if (status.IsCorruption()) code = ErrorCode::corrupt;
  if (status.IsNoSpace()) code = ErrorCode::no_space;
  return fail(code, Blame::us, std::string("catalog: ").append(doing).append(": ").append(status.ToString()));
}

Result<void> checked(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return failure(status, doing);
}

std::unexpected<Error> refused_nul() {
  return fail(ErrorCode::invalid_argument, Blame::us, "a name in the catalog cannot hold a NUL");
}

rocksdb::Options options() {
  rocksdb::Options out;
  out.create_if_missing = true;
  out.paranoid_checks = true;
  // The default drops everything after a damaged record in silence; we would rather rebuild.
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  out.write_buffer_size = 2U << 20U;
  out.max_write_buffer_number = 2;
  out.max_total_wal_size = 8U << 20U;
  out.max_open_files = 64;
  out.max_background_jobs = 2;
  out.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  out.keep_log_file_num = 2;
  out.max_log_file_size = 1U << 20U;
  out.max_manifest_file_size = 4U << 20U;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(4U << 20U);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

rocksdb::ReadOptions scan_options() {
  rocksdb::ReadOptions out;
  out.fill_cache = false;  // a scan would push everything else out
  return out;
}

// Anything else that goes wrong while opening means that files are damaged or missing.
ErrorCode open_failure_code(const rocksdb::Status& status) {
  if (status.IsNoSpace()) return ErrorCode::no_space;
  const std::string text = status.ToString();  // RocksDB has no code for a lock that somebody holds
  for (const char* held : {"lock hold by current process", "While lock file"}) {
    if (text.find(held) != std::string::npos) return ErrorCode::conflict;
  }
  return ErrorCode::corrupt;
}

}  // namespace

struct RocksCatalog::Database {
  std::unique_ptr<rocksdb::DB> db;
  Mutex writing;  // around everything that writes, so that what a write has read is still so

  Result<void> write(rocksdb::WriteBatch& batch, std::string_view doing) {
    auto status = db->Write({}, &batch);
    // After a failed write RocksDB refuses all others until it is told that the disk is well again.
    if (!status.ok() && db->Resume().ok()) status = db->Write({}, &batch);
    return checked(status, doing);
  }
  Result<void> put(const std::string& key, const std::string& value, std::string_view doing) {
    rocksdb::WriteBatch batch;
    batch.Put(key, value);
    const MutexLock lock(writing);
    return write(batch, doing);
  }
  Result<void> erase(const std::string& key, std::string_view doing) {
    rocksdb::WriteBatch batch;
    batch.Delete(key);
    const MutexLock lock(writing);
    return write(batch, doing);
  }

  Result<bool> has(const std::string& key) const {
    rocksdb::PinnableSlice value;
    const auto status = db->Get({}, db->DefaultColumnFamily(), key, &value);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return failure(status, "read");
    return true;
  }
  template <typename T>
  Result<std::optional<T>> get(const std::string& key, Result<T> (*decode)(std::string_view)) const {
    std::string value;
    const auto status = db->Get({}, key, &value);
    if (status.IsNotFound()) return std::optional<T>();
    if (!status.ok()) return failure(status, "read");
    auto record = decode(value);
    if (!record) return std::unexpected(std::move(record).error());
    return std::optional<T>(*std::move(record));
  }

  // visit(key, value) -> Result<bool>: whether to go on. Rows whose keys start with `prefix`, from `from` on.
  template <typename Visit>
  Result<void> scan(const std::string& prefix, const std::string& from, const Visit& visit) const {
    const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(scan_options()));
    for (rows->Seek(from); rows->Valid() && rows->key().starts_with(prefix); rows->Next()) {
      const Result<bool> more = visit(rows->key().ToStringView(), rows->value().ToStringView());
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
    }
    return checked(rows->status(), "scan");
  }
};

RocksCatalog::RocksCatalog(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksCatalog::~RocksCatalog() = default;

Result<std::unique_ptr<RocksCatalog>> RocksCatalog::open(const std::filesystem::path& folder) try {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return fail(ErrorCode::denied, Blame::us, "the catalog's folder " + folder.string() + " cannot be written");
  }
  rocksdb::DB* raw = nullptr;
  auto status = rocksdb::DB::Open(options(), folder.string(), &raw);
  auto database = std::make_unique<Database>();
  database->db.reset(raw);
  if (status.ok()) status = database->db->VerifyChecksum();
  if (!status.ok()) {
    return fail(open_failure_code(status), Blame::us, "catalog " + folder.string() + ": " + status.ToString());
  }
  return std::unique_ptr<RocksCatalog>(new RocksCatalog(std::move(database)));
} catch (const std::exception& e) {  // a damaged length may ask for any amount of memory
  return fail(ErrorCode::corrupt, Blame::us, "catalog " + folder.string() + ": " + e.what());
}

Result<void> RocksCatalog::set_aside(const std::filesystem::path& folder, WallTime now) try {
  namespace fs = std::filesystem;
  if (!fs::exists(folder)) return {};
  const std::string stem = folder.filename().string() + ".broken-";
  for (const auto& entry : fs::directory_iterator(folder.parent_path())) {
    if (entry.path().filename().string().starts_with(stem)) fs::remove_all(entry.path());
  }
  fs::rename(folder, folder.parent_path() / (stem + std::to_string(now.time_since_epoch().count())));
  return {};
} catch (const std::exception& e) {
  return fail(ErrorCode::io, Blame::us, std::string("cannot set the broken catalog aside: ") + e.what());
}

// --- blobs ---

Result<void> RocksCatalog::put_blob(const Digest& digest, const BlobRecord& record) {
  return database_->put(codec::key(Kind::blob, digest), codec::encode(record), "put blob");
}

Result<std::optional<BlobRecord>> RocksCatalog::blob(const Digest& digest) {
  return database_->get(codec::key(Kind::blob, digest), codec::decode_blob);
}

Result<void> RocksCatalog::erase_blob(const Digest& digest) {
  return database_->erase(codec::key(Kind::blob, digest), "erase blob");
}

Result<void> RocksCatalog::touch(std::span<const std::pair<Digest, WallTime>> uses) {
  rocksdb::WriteBatch batch;
  const MutexLock lock(database_->writing);
  for (const auto& [digest, when] : uses) {
    auto record = blob(digest);
    if (!record) return std::unexpected(std::move(record).error());
    if (!*record) continue;
    batch.Put(codec::key(Kind::blob, digest), codec::encode(BlobRecord{(*record)->size, when}));
  }
  if (batch.Count() == 0) return {};
  return database_->write(batch, "write last uses");
}

Result<void> RocksCatalog::for_each_blob(const std::function<bool(const Digest&, const BlobRecord&)>& visit) {
  const std::string all = codec::prefix(Kind::blob);
  return database_->scan(all, all, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto digest = codec::digest_of_key(key);
    if (!digest) return std::unexpected(digest.error());
    const auto record = codec::decode_blob(value);
    if (!record) return std::unexpected(record.error());
    return visit(*digest, *record);
  });
}

// --- manifests ---

Result<void> RocksCatalog::put_manifest(const RepositoryKey& repository, const Digest& digest,
                                        const ManifestRecord& record) {
  if (codec::has_nul(repository)) return refused_nul();
  rocksdb::WriteBatch batch;
  batch.Put(codec::key(Kind::manifest, digest), codec::encode(record));
  batch.Put(codec::key(Kind::holder, repository, digest), codec::encode_mark());
  batch.Put(codec::key(Kind::link, repository, digest), codec::encode_mark());
  for (const Digest& child : record.children) {
    batch.Put(codec::key(Kind::link, repository, child), codec::encode_mark());
  }
  const MutexLock lock(database_->writing);
  return database_->write(batch, "put manifest");
}

Result<std::optional<ManifestRecord>> RocksCatalog::manifest(const Digest& digest) {
  return database_->get(codec::key(Kind::manifest, digest), codec::decode_manifest);
}

Result<bool> RocksCatalog::holds(const RepositoryKey& repository, const Digest& manifest) {
  return database_->has(codec::key(Kind::holder, repository, manifest));
}

Result<void> RocksCatalog::erase_manifest(const Digest& digest) {
  rocksdb::WriteBatch batch;
  batch.Delete(codec::key(Kind::manifest, digest));
  const MutexLock lock(database_->writing);
  const std::string tags = codec::prefix(Kind::tag);
  auto done = database_->scan(tags, tags, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto record = codec::decode_tag(value);
    if (!record) return std::unexpected(record.error());
    if (record->digest == digest) batch.Delete(key);
    return true;
  });
  if (!done) return done;
  const std::string holders = codec::prefix(Kind::holder);
  done = database_->scan(holders, holders, [&](std::string_view key, std::string_view) -> Result<bool> {
    const auto row = codec::parse_repository_key(key);
    if (!row) return std::unexpected(row.error());
    if (codec::key(Kind::holder, row->repository, digest) == key) {
      batch.Delete(key);
      batch.Delete(codec::key(Kind::link, row->repository, digest));
    }
    return true;
  });
  if (!done) return done;
  return database_->write(batch, "erase manifest");
}

// --- links ---

Result<void> RocksCatalog::link(const RepositoryKey& repository, const Digest& digest) {
  if (codec::has_nul(repository)) return refused_nul();
  return database_->put(codec::key(Kind::link, repository, digest), codec::encode_mark(), "link");
}

Result<bool> RocksCatalog::linked(const RepositoryKey& repository, const Digest& digest) {
  return database_->has(codec::key(Kind::link, repository, digest));
}

// --- tags ---

Result<void> RocksCatalog::put_tag(const RepositoryKey& repository, const std::string& tag, const TagRecord& record) {
  if (codec::has_nul(repository) || codec::has_nul(tag)) return refused_nul();
  return database_->put(codec::key(Kind::tag, repository, tag), codec::encode(record), "put tag");
}

Result<std::optional<TagRecord>> RocksCatalog::tag(const RepositoryKey& repository, const std::string& tag) {
  return database_->get(codec::key(Kind::tag, repository, tag), codec::decode_tag);
}

Result<void> RocksCatalog::erase_tag(const RepositoryKey& repository, const std::string& tag) {
  return database_->erase(codec::key(Kind::tag, repository, tag), "erase tag");
}

Result<void> RocksCatalog::for_each_tag(
    const std::function<bool(const RepositoryKey&, const std::string&, const TagRecord&)>& visit) {
  const std::string all = codec::prefix(Kind::tag);
  return database_->scan(all, all, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto row = codec::parse_repository_key(key);
    if (!row) return std::unexpected(row.error());
    const auto record = codec::decode_tag(value);
    if (!record) return std::unexpected(record.error());
    return visit(row->repository, std::string(row->rest), *record);
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
  const std::unique_ptr<rocksdb::Iterator> rows(database_->db->NewIterator(scan_options()));
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
  if (codec::has_nul(pin.repository) || codec::has_nul(pin.reference)) return refused_nul();
  return database_->put(codec::key(Kind::pin, pin.repository, pin.reference),
                        codec::encode_pin(pin.manifest, pin.until), "put pin");
}

Result<void> RocksCatalog::erase_pin(const RepositoryKey& repository, const std::string& reference) {
  return database_->erase(codec::key(Kind::pin, repository, reference), "erase pin");
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

// --- everything ---

Result<void> RocksCatalog::clear() {
  rocksdb::WriteBatch batch;
  // Kinds are letters: all keys are below this one.
  auto* const family = database_->db->DefaultColumnFamily();
  batch.DeleteRange(family, rocksdb::Slice(), rocksdb::Slice("\xff"));
  const MutexLock lock(database_->writing);
  return database_->write(batch, "clear");
}

Result<void> RocksCatalog::flush() { return checked(database_->db->SyncWAL(), "flush"); }

}  // namespace paddock
