#include "storage/rocks_catalog.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sys/resource.h>

#include "storage/catalog_codec.h"
#include "storage/rocks_catalog_files.h"
#include "tests/support/temporary_folder.h"

namespace paddock {
namespace {

namespace fs = std::filesystem;

const RepositoryKey paddle{"registry.example.com", "paddlepaddle/paddle"};
const WallTime noon{std::chrono::seconds(1'700'000'000)};

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename().string());
  std::ranges::sort(out);
  return out;
}

// While it lives this process cannot let a file grow beyond `bytes`: what a full disk looks like.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("what was written is there after a restart", "[rocks_catalog]") {
  TemporaryFolder folder;
  const ManifestRecord record{"application/json", "{}", {Digest::of("layer")}};
  {
    auto catalog = RocksCatalog::open(folder / "catalog").value();
    REQUIRE(catalog->put_blob(Digest::of("a"), {1, noon}));
    REQUIRE(catalog->put_manifest(paddle, Digest::of("{}"), record));
    REQUIRE(catalog->put_tag(paddle, "latest", {Digest::of("{}"), noon, noon}));
  }
  auto catalog = RocksCatalog::open(folder / "catalog").value();
  CHECK(catalog->blob(Digest::of("a")).value() == BlobRecord{1, noon});
  CHECK(catalog->manifest(Digest::of("{}")).value() == record);
  CHECK(catalog->tag(paddle, "latest").value() == TagRecord{Digest::of("{}"), noon, noon});
  CHECK(catalog->repositories({}, 5).value() == std::vector{paddle});
}

TEST_CASE("a catalog that is open cannot be opened again", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto first = RocksCatalog::open(folder / "catalog").value();
  const auto second = RocksCatalog::open(folder / "catalog");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
}

TEST_CASE("a catalog that cannot be made says where", "[rocks_catalog]") {
  TemporaryFolder folder;
  std::ofstream(folder / "file") << "x";
  const auto catalog = RocksCatalog::open(folder / "file" / "catalog");
  REQUIRE_FALSE(catalog);
  CHECK(catalog.error().code == ErrorCode::denied);
  CHECK(catalog.error().context.find((folder / "file" / "catalog").string()) != std::string::npos);
}

TEST_CASE("a damaged or missing part is noticed when a catalog is opened", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto path = folder / "catalog";
  for (int run = 0; run < 2; ++run) {  // the second start writes the first one's log into a table
    auto catalog = RocksCatalog::open(path).value();
    for (int i = 0; i < 200; ++i) REQUIRE(catalog->put_blob(Digest::of(std::to_string(i)), {1, noon}));
  }
  const auto files = names_in(path);
  const auto table = std::ranges::find_if(files, [](const auto& name) { return name.ends_with(".sst"); });
  REQUIRE(table != files.end());
  SECTION("a flipped byte in a table") {
    std::fstream file(path / *table, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file.put('\x55');
  }
  SECTION("a table cut short") { fs::resize_file(path / *table, fs::file_size(path / *table) / 2); }
  SECTION("a table gone") { fs::remove(path / *table); }
  SECTION("the pointer to the manifest is nonsense") { std::ofstream(path / "CURRENT") << "MANIFEST-999999\n"; }
  const auto catalog = RocksCatalog::open(path);
  REQUIRE_FALSE(catalog);
  CHECK(catalog.error().code == ErrorCode::corrupt);
}

TEST_CASE("a process that ended while it opened the catalog costs it nothing, three in a row do", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto path = folder / "catalog";
  REQUIRE(RocksCatalog::open(path).value()->put_blob(Digest::of("a"), {1, noon}));
  CHECK_FALSE(fs::exists(path / "OPENING"));
  for (int ended = 1; ended <= 3; ++ended) {
    CAPTURE(ended);
    for (int i = 0; i < ended; ++i) REQUIRE(catalog_files::OpeningMark(path).put());
    const auto catalog = RocksCatalog::open(path);
    REQUIRE(catalog.has_value() == (ended < 3));
    CHECK(fs::exists(path / "OPENING") == (ended == 3));
    if (catalog) CHECK((*catalog)->blob(Digest::of("a")).value() == BlobRecord{1, noon});
    if (!catalog) CHECK(catalog.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("a mark that cannot be removed counts once for a process", "[rocks_catalog]") {
  TemporaryFolder folder;
  catalog_files::OpeningMark mark(folder.path());
  for (int i = 0; i < 5; ++i) {
    REQUIRE(mark.put());
    CHECK(fs::file_size(folder / "OPENING") == 1);
    fs::rename(folder / "OPENING", folder / "kept");
    fs::create_directories(folder / "OPENING" / "in the way");
    mark.take_away();
    fs::remove_all(folder / "OPENING");
    fs::rename(folder / "kept", folder / "OPENING");
  }
  mark.take_away();
  CHECK_FALSE(fs::exists(folder / "OPENING"));
}

TEST_CASE("a mark that cannot be removed does not keep the catalog from being opened anew", "[rocks_catalog]") {
  TemporaryFolder folder;
  auto catalog = RocksCatalog::open(folder / "catalog").value();
  fs::create_directories(folder / "catalog" / "OPENING" / "in the way");
  for (int i = 0; i < 5; ++i) {
    {
      const FileSizeLimit none(0);
      CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
    }
    CHECK(catalog->put_blob(Digest::of("after"), {2, noon}));
  }
}

TEST_CASE("every table has a seal, and a seal goes with its table", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto path = folder / "catalog";
  for (int run = 0; run < 8; ++run) {
    auto catalog = RocksCatalog::open(path).value();
    REQUIRE(catalog->put_blob(Digest::of(std::to_string(run)), {1, noon}));
    if (run == 4) REQUIRE(catalog->clear());
  }
  std::size_t tables = 0;
  for (const auto& name : names_in(path)) {
    if (name.ends_with(".sst")) {
      ++tables;
      CHECK(fs::exists(path / (name + ".sum")));
    }
    if (name.ends_with(".sum")) CHECK(fs::exists(path / name.substr(0, name.size() - 4)));
  }
  CHECK(tables > 0);
}

TEST_CASE("a table that a crash left behind is no damage", "[rocks_catalog]") {
  TemporaryFolder folder;
  REQUIRE(RocksCatalog::open(folder / "catalog").value()->put_blob(Digest::of("a"), {1, noon}));
  std::ofstream(folder / "catalog" / "000099.sst") << "half a table";
  std::ofstream(folder / "catalog" / "000098.sst.sum") << "sha256:";
  std::ofstream(folder / "catalog" / "000097.sst.sum.4.tmp") << "sha";
  const auto catalog = RocksCatalog::open(folder / "catalog");
  REQUIRE(catalog);
  CHECK((*catalog)->blob(Digest::of("a")).value() == BlobRecord{1, noon});
}

TEST_CASE("a broken catalog is set aside, and only the last one kept", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto path = folder / "catalog";
  REQUIRE(RocksCatalog::set_aside(path, noon));  // nothing there: fine
  CHECK(names_in(folder.path()).empty());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(RocksCatalog::open(path).value()->put_blob(Digest::of("a"), {1, noon}));
    REQUIRE(RocksCatalog::set_aside(path, noon + std::chrono::seconds(i)));
  }
  CHECK(names_in(folder.path()) == std::vector<std::string>{"catalog.broken-1700000002"});
  CHECK(RocksCatalog::open(path).value()->blob(Digest::of("a")).value() == std::nullopt);
}

TEST_CASE("the catalog's files stay few and small", "[rocks_catalog]") {
  TemporaryFolder folder;
  for (int run = 0; run < 6; ++run) {
    auto catalog = RocksCatalog::open(folder / "catalog").value();
    REQUIRE(catalog->put_blob(Digest::of(std::to_string(run)), {1, noon}));
  }
  CHECK(names_in(folder / "catalog").size() < 24);
}

TEST_CASE("a catalog writes again once the disk has room again", "[rocks_catalog]") {
  TemporaryFolder folder;
  const ManifestRecord big{"a/b", std::string(1U << 20U, 'x'), {}};
  {
    auto catalog = RocksCatalog::open(folder / "catalog").value();
    REQUIRE(catalog->put_blob(Digest::of("before"), {1, noon}));
    {
      const FileSizeLimit full(64U << 10U);
      CHECK_FALSE(catalog->put_manifest(paddle, Digest::of("big"), big));
      CHECK(catalog->blob(Digest::of("before")).value() == BlobRecord{1, noon});
    }
    REQUIRE(catalog->for_each_blob([&](const Digest&, const BlobRecord&) {  // not under the feet of a reader
      const auto refused = catalog->put_blob(Digest::of("during"), {1, noon});
      CHECK_FALSE(refused);
      return true;
    }));
    CHECK(catalog->flush());
    REQUIRE(catalog->put_blob(Digest::of("after"), {2, noon}));
    REQUIRE(catalog->flush());
  }
  const auto catalog = RocksCatalog::open(folder / "catalog");
  REQUIRE(catalog);
  CHECK((*catalog)->blob(Digest::of("before")).value() == BlobRecord{1, noon});
  CHECK((*catalog)->blob(Digest::of("after")).value() == BlobRecord{2, noon});
}

TEST_CASE("a disk that takes no writes keeps the catalog readable, and is asked before every write",
          "[rocks_catalog]") {
  TemporaryFolder folder;
  auto catalog = RocksCatalog::open(folder / "catalog").value();
  REQUIRE(catalog->put_blob(Digest::of("before"), {1, noon}));
  {
    const FileSizeLimit none(0);
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
      CHECK(catalog->blob(Digest::of("before")).value() == BlobRecord{1, noon});
      CHECK_FALSE(catalog->flush());
    }
  }
  REQUIRE(catalog->put_blob(Digest::of("after"), {2, noon}));
  CHECK(catalog->blob(Digest::of("during")).value() == std::nullopt);
  for (const auto& name : names_in(folder / "catalog")) CHECK_FALSE(name.starts_with("PROBE"));
}

TEST_CASE("a catalog that cannot be opened for writing any more is opened for reading", "[rocks_catalog]") {
  TemporaryFolder folder;
  auto catalog = RocksCatalog::open(folder / "catalog").value();
  ManifestRecord big{"a/b", std::string(256U << 10U, '\0'), {}};
  unsigned state = 1;  // tables are compressed
  for (char& byte : big.content) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  REQUIRE(catalog->put_manifest(paddle, Digest::of("big"), big));
  {
    const FileSizeLimit small(128U << 10U);  // the probe fits; the table that opening makes of `big` does not
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
      CHECK(catalog->manifest(Digest::of("big")).value() == big);
    }
  }
  REQUIRE(catalog->put_blob(Digest::of("after"), {2, noon}));
  CHECK(catalog->manifest(Digest::of("big")).value() == big);
  REQUIRE(catalog->flush());
  catalog.reset();
  catalog = RocksCatalog::open(folder / "catalog").value();
  CHECK(catalog->blob(Digest::of("after")).value() == BlobRecord{2, noon});
}

TEST_CASE("a catalog that could not even be opened for reading is opened by a read, now and then", "[rocks_catalog]") {
  TemporaryFolder folder;
  const auto path = folder / "catalog";
  for (int run = 0; run < 2; ++run) {  // the second start writes the first one's log into a table
    REQUIRE(RocksCatalog::open(path).value()->put_blob(Digest::of("before"), {1, noon}));
  }
  const bool eager = GENERATE(true, false);
  CAPTURE(eager);
  auto catalog = RocksCatalog::open(path, eager ? std::chrono::hours(0) : std::chrono::hours(1)).value();
  {
    const FileSizeLimit none(0);
    CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
  }
  const auto files = names_in(path);
  const auto seal = std::ranges::find_if(files, [](const auto& name) { return name.ends_with(".sum"); });
  REQUIRE(seal != files.end());
  fs::copy_file(path / *seal, folder / "right");
  std::ofstream(path / *seal) << "wrong";
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
    const auto closed = catalog->blob(Digest::of("before"));
    REQUIRE_FALSE(closed);
    CHECK(closed.error().blame == Blame::us);
  }
  fs::copy_file(folder / "right", path / *seal, fs::copy_options::overwrite_existing);
  CHECK(catalog->blob(Digest::of("before")).has_value() == eager);
  CHECK(catalog->repositories({}, 1).has_value() == eager);
  REQUIRE(catalog->put_blob(Digest::of("after"), {2, noon}));  // a write does not wait
  CHECK(catalog->blob(Digest::of("before")).value() == BlobRecord{1, noon});
}

TEST_CASE("a catalog whose folder is gone keeps what it knows, and makes no new folder", "[rocks_catalog]") {
  TemporaryFolder folder;
  auto catalog = RocksCatalog::open(folder / "data" / "catalog").value();
  REQUIRE(catalog->put_blob(Digest::of("before"), {1, noon}));
  {
    const FileSizeLimit none(0);
    CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
  }
  fs::rename(folder / "data", folder / "elsewhere");
  CHECK_FALSE(catalog->put_blob(Digest::of("during"), {1, noon}));
  CHECK(catalog->blob(Digest::of("before")).value() == BlobRecord{1, noon});
  CHECK_FALSE(fs::exists(folder / "data"));
  fs::rename(folder / "elsewhere", folder / "data");
  CHECK(catalog->put_blob(Digest::of("after"), {1, noon}));
}

// --- the encoding ---

TEST_CASE("values are read back as they were written", "[catalog_codec]") {
  namespace codec = catalog_codec;
  const ManifestRecord manifest{
      "a/b", std::string("\0\xff", 2), {Digest::of("1"), Digest::of("2", Digest::Algorithm::sha512)}};
  CHECK(codec::decode_manifest(codec::encode(manifest)).value() == manifest);
  const BlobRecord blob{0x0102030405060708, WallTime(std::chrono::seconds(-1))};
  CHECK(codec::decode_blob(codec::encode(blob)).value() == blob);
  for (const auto* rule : {"", "nightly"}) {
    const PinRecord pin{paddle, "2.6", Digest::of("m"), noon, rule};
    CHECK(codec::decode_pin(codec::key(codec::Kind::pin, paddle, "2.6"), codec::encode_pin(pin)).value() == pin);
  }
}

TEST_CASE("a value that is cut, lengthened or of another version is corrupt, whatever is in it", "[catalog_codec]") {
  namespace codec = catalog_codec;
  const std::string manifest = codec::encode(ManifestRecord{"a/b", "content", {Digest::of("1")}});
  const std::string blob = codec::encode(BlobRecord{1, noon});
  const std::string tag = codec::encode(TagRecord{Digest::of("1"), noon, noon});
  const std::string pin = codec::encode_pin({paddle, "2.6", Digest::of("1"), noon});
  const std::string key = codec::key(codec::Kind::pin, paddle, "2.6");
  const auto corrupt = [](const auto& result) { return !result && result.error().code == ErrorCode::corrupt; };
  for (std::size_t i = 0; i < manifest.size(); ++i) CHECK(corrupt(codec::decode_manifest(manifest.substr(0, i))));
  for (std::size_t i = 0; i < blob.size(); ++i) CHECK(corrupt(codec::decode_blob(blob.substr(0, i))));
  for (std::size_t i = 0; i < tag.size(); ++i) CHECK(corrupt(codec::decode_tag(tag.substr(0, i))));
  for (std::size_t i = 0; i < pin.size(); ++i) CHECK(corrupt(codec::decode_pin(key, pin.substr(0, i))));
  CHECK(corrupt(codec::decode_manifest(manifest + "x")));
  CHECK(corrupt(codec::decode_blob(blob + "x")));
  CHECK(corrupt(codec::decode_tag(tag + "x")));
  CHECK(corrupt(codec::decode_pin(key, pin + "x")));
  const std::string of_rule = codec::encode_pin({paddle, "2.6", Digest::of("1"), noon, "nightly"});
  for (auto i = pin.size() + 1; i < of_rule.size(); ++i) CHECK(corrupt(codec::decode_pin(key, of_rule.substr(0, i))));
  CHECK(corrupt(codec::decode_pin(key, of_rule + "x")));
  CHECK(corrupt(codec::decode_blob("\x02" + blob.substr(1))));
  std::string huge = manifest;
  for (std::size_t i = 1; i < 5; ++i) huge[i] = '\xff';  // a length of 4 GiB
  CHECK(corrupt(codec::decode_manifest(huge)));
}

TEST_CASE("keys that are not ours are corrupt", "[catalog_codec]") {
  namespace codec = catalog_codec;
  const auto corrupt = [](const auto& result) { return !result && result.error().code == ErrorCode::corrupt; };
  const std::string key = codec::key(codec::Kind::blob, Digest::of("a"));
  CHECK(codec::digest_of_key(key).value() == Digest::of("a"));
  for (std::size_t i = 0; i < key.size(); ++i) CHECK(corrupt(codec::digest_of_key(key.substr(0, i))));
  CHECK(corrupt(codec::digest_of_key(key + "x")));
  CHECK(corrupt(codec::digest_of_key("b\x07" + key.substr(2))));
  CHECK(corrupt(codec::parse_repository_key("")));
  CHECK(corrupt(codec::parse_repository_key("tno separator")));
  CHECK(corrupt(codec::parse_repository_key(std::string("tone\0only", 9))));
}

}  // namespace paddock
