#include "storage/reconciler.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <vector>

namespace paddock {
namespace {

constexpr unsigned max_lines = 50;                       // of the log, for problems of one start
constexpr std::uint64_t max_manifest_size = 64U << 20U;  // bytes; far above what may be configured
constexpr unsigned readers = 8;                          // threads, of folders: they mostly wait for the disk
constexpr std::chrono::seconds log_interval{10};

std::string display(const RepositoryKey& key, std::string_view name) {
  return key.upstream + "/" + key.repository + " " + std::string(name);
}

// Says how far the hashing is, so that a long start does not look like a hang.
class ProgressLog {
 public:
  explicit ProgressLog(const Clock& clock) : clock_(clock) {}
  void note(const CheckProgress& progress) {
    const SteadyTime now = clock_.now();
    if (now - last_ < log_interval && progress.blobs < progress.of_blobs) return;
    last_ = now;
    const std::chrono::duration<double> since = now - started_;
    const double giga = 1e9;
    spdlog::info("recovery: hashed {} of {} blobs, {:.1f} of {:.1f} GB, {:.2f} GB/s", progress.blobs, progress.of_blobs,
                 static_cast<double>(progress.bytes) / giga, static_cast<double>(progress.of_bytes) / giga,
                 since.count() > 0 ? static_cast<double>(progress.bytes) / giga / since.count() : 0);
  }

 private:
  const Clock& clock_;
  const SteadyTime started_ = clock_.now();
  SteadyTime last_ = started_;
};

}  // namespace

Reconciler::Reconciler(FileSystem& fs, const DataPaths& paths, const Clock& clock, Catalog& catalog,
                       RecoveryReport& report, const RecoveryOptions& options)
    : fs_(fs),
      paths_(paths),
      clock_(clock),
      options_(options),
      now_(clock.wall()),
      catalog_(catalog),
      report_(report),
      records_(fs, paths.records()) {}

Result<void> Reconciler::run() {
  auto done = load_catalog();
  const bool was_empty = rows_.empty() && catalog_tags_.empty();
  if (done) {
    done = walk_blobs(fs_, paths_, readers, [this](const FoundBlobs& found) { return take(found); });
  }
  if (done) done = check_unknown_files();
  if (done) done = drop_rows_without_file();
  if (done) done = load_records();
  if (done) done = settle_tags();
  if (done) done = settle_pins();
  if (was_empty && report_.blobs > 0) report_.rebuilt = true;
  if (lines_ > max_lines) spdlog::warn("recovery: {} more lines like these", lines_ - max_lines);
  return done;
}

void Reconciler::warn(const std::string& line) {
  if (++lines_ <= max_lines) spdlog::warn("recovery: {}", line);
}

bool Reconciler::stored(const Digest& digest) const {
  const auto row = rows_.find(digest);
  return row != rows_.end() && row->second.has_file;
}

Result<void> Reconciler::quarantine(const Path& path, const std::string& why) {
  std::string name = path.lexically_relative(paths_.root()).string();
  std::ranges::replace(name, '/', '_');
  if (name.size() > 200) name.erase(0, name.size() - 200);  // a file name's limit
  const Path folder = paths_.root() / "quarantine";
  warn(path.string() + " goes to quarantine/: " + why);
  if (!quarantined_) {
    if (auto made = fs_.create_directories(folder); !made) return made;
    const auto there = fs_.list(folder);
    if (!there) return std::unexpected(there.error());
    quarantined_.emplace();
    for (const auto& entry : *there) quarantined_->insert(entry.name);
  }
  std::string free_name = name;
  for (unsigned number = 2; quarantined_->contains(free_name); ++number)
    free_name = name + "." + std::to_string(number);
  if (auto moved = fs_.rename(path, folder / free_name); !moved) return moved;
  quarantined_->insert(std::move(free_name));
  ++report_.quarantined;
  return {};
}

Result<void> Reconciler::load_catalog() {
  auto done = catalog_.for_each_blob([&](const Digest& digest, const BlobRecord& record) {
    rows_.emplace(digest, Row{record});
    return true;
  });
  if (!done) return done;
  done = catalog_.for_each_tag([&](const RepositoryKey& repository, const std::string& tag, const TagRecord& record) {
    catalog_tags_.emplace(Named(repository, tag), record);
    return true;
  });
  if (!done) return done;
  auto pins = catalog_.pins();
  if (!pins) return std::unexpected(std::move(pins).error());
  for (auto& pin : *pins) catalog_pins_.emplace(Named(pin.repository, pin.reference), std::move(pin));
  return {};
}

// --- blobs ---

Result<void> Reconciler::take(const FoundBlobs& found) {
  for (const auto& stray : found.strays) {
    if (auto moved = quarantine(stray.path, std::string(stray.why)); !moved) return moved;
  }
  for (const Digest& digest : found.unknown) leave_alone(digest, "the disk does not say what it is");
  for (const auto& file : found.blobs) {
    if (auto taken = take(file); !taken) return taken;
  }
  return {};
}

Result<void> Reconciler::take(const BlobFile& file) {
  const auto row = rows_.find(file.digest);
  if (row == rows_.end()) {
    unknown_files_.push_back({file.digest, paths_.blob(file.digest), file.size});
    return {};
  }
  if (const auto expected = row->second.record.size; expected != file.size) {
    return quarantine(paths_.blob(file.digest),
                      std::to_string(file.size) + " bytes instead of " + std::to_string(expected));
  }
  row->second.has_file = true;
  ++report_.blobs;
  report_.bytes += file.size;
  return {};
}

void Reconciler::leave_alone(const Digest& digest, const std::string& why) {
  warn(paths_.blob(digest).string() + " stays unused: " + why);
  ++report_.unreadable;
  unreadable_.insert(digest);
}

// Nothing but its name speaks for such a file: whoever lost the catalog may have damaged the files too.
Result<void> Reconciler::check_unknown_files() {
  ProgressLog log(clock_);
  return check_blobs(
      fs_, unknown_files_, options_.threads,
      [this](const UncheckedBlob& blob, const Result<Digest>& actual) { return settle_file(blob, actual); },
      [this, &log](const CheckProgress& progress) {
        log.note(progress);
        return options_.on_progress ? options_.on_progress(progress) : Result<void>();
      });
}

Result<void> Reconciler::settle_file(const UncheckedBlob& blob, const Result<Digest>& actual) {
  if (!actual) {
    leave_alone(blob.digest, actual.error().context);
    return {};
  }
  if (*actual != blob.digest) return quarantine(blob.path, "its bytes are not those of its digest");
  const BlobRecord record{blob.size, now_};
  rows_.emplace(blob.digest, Row{record, true});
  ++report_.blobs;
  report_.bytes += blob.size;
  ++report_.added_rows;
  return catalog_.put_blob(blob.digest, record);
}

Result<void> Reconciler::drop_rows_without_file() {
  for (const auto& [digest, row] : rows_) {
    if (row.has_file) continue;
    if (!unreadable_.contains(digest)) warn("no file of the right size for " + digest.to_string());
    if (auto erased = catalog_.erase_blob(digest); !erased) return erased;
    ++report_.erased_rows;
    const auto manifest = catalog_.manifest(digest);
    if (!manifest) return std::unexpected(manifest.error());
    if (!*manifest) continue;
    if (auto erased = catalog_.erase_manifest(digest); !erased) return erased;
  }
  return {};
}

// --- records ---

Result<void> Reconciler::load_records() {
  return records_.for_each(
      [this](const Fact& fact) { return std::visit([this](const auto& f) { return take(f); }, fact); },
      [this](const Path& path, const Error& error) { return take_broken_record(path, error); }, readers);
}

Result<void> Reconciler::take_broken_record(const Path& path, const Error& error) {
  ++report_.broken_records;
  if (error.code == ErrorCode::corrupt || error.code == ErrorCode::too_large) return quarantine(path, error.context);
  warn(path.string() + ": " + error.context);
  return {};
}

Result<void> Reconciler::drop_record(const Fact& fact, const RepositoryKey& repository, const std::string& name) {
  warn("dropping " + display(repository, name) + ": the bytes of its manifest are gone");
  ++report_.dropped_records;
  return records_.erase(fact);
}

Result<void> Reconciler::drop_manifest(const ManifestFact& fact) {
  if (auto erased = catalog_.erase_manifest(fact.digest); !erased) return erased;
  return drop_record(fact, fact.repository, fact.digest.to_string());
}

Result<void> Reconciler::take(const ManifestFact& fact) {
  if (unreadable_.contains(fact.digest)) return {};
  if (!stored(fact.digest)) return drop_manifest(fact);
  const auto held = catalog_.holds(fact.repository, fact.digest);
  if (!held) return std::unexpected(held.error());
  const auto known = catalog_.manifest(fact.digest);
  if (!known) return std::unexpected(known.error());
  if (!*held || !*known) return restore_manifest(fact);
  ++report_.manifests;
  return {};
}

Result<void> Reconciler::restore_manifest(const ManifestFact& fact) {
  const Path path = paths_.blob(fact.digest);
  auto content = read_file(fs_, path, max_manifest_size);
  if (!content && content.error().code != ErrorCode::too_large) {
    leave_alone(fact.digest, content.error().context);
    return lose_blob(fact.digest);
  }
  if (!content || Digest::of(*content, fact.digest.algorithm()) != fact.digest) {
    if (auto moved = quarantine(path, "not the manifest that its name says"); !moved) return moved;
    if (auto lost = lose_blob(fact.digest); !lost) return lost;
    return drop_manifest(fact);
  }
  ++report_.manifests;
  ++report_.added_rows;
  return catalog_.put_manifest(fact.repository, fact.digest, {fact.media_type, *std::move(content), fact.children});
}

Result<void> Reconciler::lose_blob(const Digest& digest) {
  auto& row = rows_.at(digest);
  row.has_file = false;
  --report_.blobs;
  report_.bytes -= row.record.size;
  return catalog_.erase_blob(digest);
}

// Put off until it is known which manifests are good.
Result<void> Reconciler::take(const TagFact& fact) {
  tag_records_.push_back(fact);
  return {};
}

Result<void> Reconciler::settle(const TagFact& fact) {
  if (unreadable_.contains(fact.digest)) return {};
  if (!stored(fact.digest)) return drop_record(fact, fact.repository, fact.tag);
  ++report_.tags;
  const auto known = catalog_tags_.find({fact.repository, fact.tag});
  const bool same = known != catalog_tags_.end() && known->second.digest == fact.digest;
  if (known != catalog_tags_.end()) catalog_tags_.erase(known);
  if (same) return {};
  ++report_.added_rows;
  return catalog_.put_tag(fact.repository, fact.tag,
                          {fact.digest, fact.changed, std::max(fact.changed, fact.validated)});
}

Result<void> Reconciler::take(const PinFact& fact) {
  ++report_.pins;
  const auto known = catalog_pins_.find({fact.pin.repository, fact.pin.reference});
  const bool same = known != catalog_pins_.end() && known->second == fact.pin;
  if (known != catalog_pins_.end()) catalog_pins_.erase(known);
  if (same) return {};
  ++report_.added_rows;
  return catalog_.put_pin(fact.pin);
}

// --- what only the catalog knows ---
// Erased; but when records could not be read it may be the last copy, and gets a record again.

Result<void> Reconciler::settle_tags() {
  for (const auto& fact : tag_records_) {
    if (auto done = settle(fact); !done) return done;
  }
  for (const auto& [name, tag] : catalog_tags_) {
    const auto& [repository, text] = name;
    Result<void> done;
    if (report_.broken_records > 0 && stored(tag.digest)) {
      ++report_.tags;
      done = records_.put(TagFact{repository, text, tag.digest, tag.changed, tag.validated});
    } else {
      ++report_.erased_rows;
      done = catalog_.erase_tag(repository, text);
    }
    if (!done) return done;
  }
  return {};
}

Result<void> Reconciler::settle_pins() {
  for (const auto& [name, pin] : catalog_pins_) {
    Result<void> done;
    if (report_.broken_records > 0) {
      ++report_.pins;
      done = records_.put(PinFact{pin});
    } else {
      ++report_.erased_rows;
      done = catalog_.erase_pin(pin.repository, pin.reference);
    }
    if (!done) return done;
  }
  return {};
}

}  // namespace paddock
