// make_store: a data folder with many small blobs, as a server that has run for long would have left it.
//
//   make_store --blobs 100000 FOLDER
//
// Every twentieth blob is an image's manifest with a tag; its layers are the nineteen before it. All goes through the
// storage library, without waiting for the disk at each file: the end of the program does that once.
#include <CLI/CLI.hpp>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

#include "storage/data_folder.h"
#include "storage/disk_blob_store.h"
#include "storage/manifest_store.h"
#include "storage/posix_file_system.h"
#include "storage/records.h"
#include "storage/rocks_catalog.h"

namespace {

using namespace paddock;

class UnsyncedFile final : public File {
 public:
  explicit UnsyncedFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    return file_->read_at(offset, out);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return file_->write_at(offset, bytes);
  }
  Result<void> sync_data() override { return {}; }
  [[nodiscard]] Result<std::uint64_t> size() const override { return file_->size(); }

 private:
  std::unique_ptr<File> file_;
};

class UnsyncedFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const Path& path, Open how) override {
    auto file = posix_.open(path, how);
    if (!file) return std::unexpected(file.error());
    return std::make_unique<UnsyncedFile>(std::move(*file));
  }
  Result<void> rename(const Path& from, const Path& to) override { return posix_.rename(from, to); }
  Result<void> remove(const Path& path) override { return posix_.remove(path); }
  Result<void> create_directories(const Path& path) override {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    return error ? posix_.create_directories(path) : Result<void>();
  }
  Result<void> sync_directory(const Path&) override { return {}; }
  Result<std::vector<DirectoryEntry>> list(const Path& path) override { return posix_.list(path); }
  Result<DiskSpace> space(const Path& path) override { return posix_.space(path); }
  Result<std::unique_ptr<FileLock>> lock(const Path& path) override { return posix_.lock(path); }

 private:
  PosixFileSystem posix_;
};

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().context);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct Store {
  explicit Store(const std::filesystem::path& root)
      : folder(must(DataFolder::open(fs, root))),
        catalog(must(RocksCatalog::open(folder.paths().catalog()))),
        space(fs, {.folder = root}),
        blobs(fs, folder.paths(), *catalog, space, clock, {}),
        records(fs, folder.paths().records()),
        manifests(blobs, records, *catalog) {}

  UnsyncedFileSystem fs;
  SystemClock clock;
  DataFolder folder;
  std::unique_ptr<RocksCatalog> catalog;
  Space space;
  DiskBlobStore blobs;
  RecordFiles records;
  ManifestStore manifests;
};

constexpr std::uint64_t image_size = 20;  // blobs, its manifest included
constexpr auto media_type = "application/vnd.oci.image.manifest.v1+json";

void put_image(Store& store, const RepositoryKey& repository, const std::vector<Digest>& layers, std::uint64_t number) {
  ManifestRecord record{.media_type = media_type, .content = {}, .children = layers};
  record.content = R"({"schemaVersion":2,"mediaType":")" + std::string(media_type) + R"(","layers":[)";
  for (const Digest& layer : layers)
    record.content += (&layer == layers.data() ? "\"" : ",\"") + layer.to_string() + '"';
  record.content += "]}";
  const Digest digest = Digest::of(record.content);
  must(store.manifests.put(repository, digest, record));
  must(store.manifests.put_tag(repository, "made-" + std::to_string(number), digest, store.clock.wall()));
}

void fill(Store& store, const RepositoryKey& repository, std::uint64_t blobs) {
  std::vector<Digest> layers;
  for (std::uint64_t number = 1; number <= blobs; ++number) {
    if (number % image_size == 0 && !layers.empty()) {
      put_image(store, repository, layers, number);
      layers.clear();
      continue;
    }
    const std::string content = "blob " + std::to_string(number) + "\n";
    layers.push_back(Digest::of(content));
    must(store.blobs.put(layers.back(), content));
  }
  must(store.catalog->flush());
}

}  // namespace

int main(int argc, char** argv) try {
  std::uint64_t blobs = 100'000;
  std::filesystem::path folder;
  RepositoryKey repository{.upstream = "upstream.test", .repository = "bench/made"};
  CLI::App app("Makes a data folder with many small blobs.");
  app.add_option("--blobs", blobs, "how many")->check(CLI::Range(1, 100'000'000));
  app.add_option("--upstream", repository.upstream, "whose they are");
  app.add_option("folder", folder, "to be made")->required();
  CLI11_PARSE(app, argc, argv);
  Store store(folder);
  fill(store, repository, blobs);
  ::sync();
  std::cout << blobs << " blobs in " << folder.string() << '\n';
  return 0;
} catch (const std::exception& e) {
  std::cerr << "make_store: " << e.what() << '\n';
  return 1;
}
