#include "storage/recovery.h"

#include <spdlog/spdlog.h>

#include "storage/reconciler.h"
#include "storage/rocks_catalog.h"

namespace paddock {
namespace {

using Path = std::filesystem::path;

// Those of the entries that write_file_durably() left behind.
Result<void> remove_temporaries(FileSystem& fs, const Path& folder, const std::vector<DirectoryEntry>& entries,
                                std::uint64_t& removed) {
  for (const auto& entry : entries) {
    if (entry.is_directory || !entry.name.ends_with(".tmp")) continue;
    if (auto done = fs.remove(folder / entry.name); !done) return done;
    ++removed;
  }
  return {};
}

Result<void> remove_all_temporaries(FileSystem& fs, const DataPaths& paths, std::uint64_t& removed) {
  const auto top = fs.list(paths.root());
  if (!top && top.error().code == ErrorCode::not_found) return {};
  if (!top) return std::unexpected(top.error());
  auto done = remove_temporaries(fs, paths.root(), *top, removed);
  // What cannot be listed here is read again, and judged, by the Reconciler.
  const auto folders = fs.list(paths.records());
  if (!folders) return done;
  for (const auto& folder : *folders) {
    if (!done || !folder.is_directory) continue;
    const Path path = paths.records() / folder.name;
    if (const auto entries = fs.list(path)) done = remove_temporaries(fs, path, *entries, removed);
  }
  return done;
}

void log(const RecoveryReport& report) {
  const auto troubles =
      report.quarantined + report.unreadable + report.broken_records + report.dropped_records + report.erased_rows;
  spdlog::log(
      troubles > 0 || report.rebuilt ? spdlog::level::warn : spdlog::level::info,
      "recovery: {}{} blobs, {} bytes, {} manifests, {} tags, {} pins; rows added {}, erased {}; temporary files "
      "removed {}; quarantined {}, unreadable {}; records broken {}, dropped {}; {} ms",
      report.rebuilt ? "catalog rebuilt; " : "", report.blobs, report.bytes, report.manifests, report.tags, report.pins,
      report.added_rows, report.erased_rows, report.removed_temporaries, report.quarantined, report.unreadable,
      report.broken_records, report.dropped_records, report.duration.count());
}

}  // namespace

CatalogAccess rocks_catalog_access(const DataPaths& paths, const Clock& clock) {
  return {
      .open = [folder = paths.catalog()] -> Result<std::unique_ptr<Catalog>> { return RocksCatalog::open(folder); },
      .set_aside = [folder = paths.catalog(), &clock] { return RocksCatalog::set_aside(folder, clock.wall()); },
  };
}

Result<Recovered> recover(FileSystem& fs, const DataPaths& paths, Space& space, const Clock& clock,
                          const CatalogAccess& access, const RecoveryOptions& options) {
  const auto started = clock.now();
  std::uint64_t temporaries = 0;
  if (auto done = remove_all_temporaries(fs, paths, temporaries); !done) {
    return std::unexpected(std::move(done).error().with("removing temporary files"));
  }
  for (const bool last_try : {false, true}) {
    RecoveryReport report{.rebuilt = last_try, .removed_temporaries = temporaries};
    auto catalog = access.open();
    Result<void> done = catalog ? Result<void>() : std::unexpected(catalog.error());
    if (done) done = Reconciler(fs, paths, clock, **catalog, report, options).run();
    if (done) done = (*catalog)->flush();
    if (done) {
      space.add_stored(report.bytes);
      report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - started);
      log(report);
      return Recovered{*std::move(catalog), report};
    }
    if (last_try || done.error().code != ErrorCode::corrupt) return std::unexpected(std::move(done).error());
    spdlog::error("the catalog is broken and is rebuilt from the files: {}", done.error().context);
    if (catalog) catalog->reset();  // closed, before its files move
    if (auto aside = access.set_aside(); !aside) return std::unexpected(std::move(aside).error());
  }
  return fail(ErrorCode::corrupt, Blame::us, "the catalog cannot be rebuilt");
}

}  // namespace paddock
