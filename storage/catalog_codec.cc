#include "storage/catalog_codec.h"

#include <span>

namespace paddock::catalog_codec {
namespace {

constexpr char value_version = 1;
constexpr std::string_view nul("\0", 1);

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, Blame::us, std::string("the catalog's ").append(what).append(" cannot be read"));
}

void put_integer(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8U * i));
}

void put_time(std::string& out, WallTime time) {
  put_integer(out, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
}

void put_digest(std::string& out, const Digest& digest) {
  out += static_cast<char>(digest.algorithm());
  for (const std::byte byte : digest.bytes()) out += static_cast<char>(byte);
}

void put_text(std::string& out, std::string_view text) {
  put_integer(out, text.size(), 4);
  out += text;
}

// Takes values off the front; once something does not fit, everything after fails too.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) { good_ = integer(1) == value_version; }

  std::uint64_t integer(unsigned bytes) {
    const std::string_view raw = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8U * i);
    }
    return value;
  }
  WallTime time() { return WallTime(std::chrono::seconds(static_cast<std::int64_t>(integer(8)))); }
  std::string text() { return std::string(take(integer(4))); }
  std::optional<Digest> digest() {
    if (rest_.empty()) {
      good_ = false;
      return std::nullopt;
    }
    const bool long_one = rest_.front() == static_cast<char>(Digest::Algorithm::sha512);
    auto digest = parse_digest(take(long_one ? 65 : 33));
    if (digest) return *digest;
    good_ = false;
    return std::nullopt;
  }
  // Everything was there, and nothing is left.
  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::string_view take(std::uint64_t bytes) {
    if (!good_ || bytes > rest_.size()) {
      good_ = false;
      return {};
    }
    const auto taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string prefix(Kind kind) { return {static_cast<char>(kind)}; }

std::string prefix(Kind kind, const RepositoryKey& repository) {
  return prefix(kind).append(repository.upstream).append(nul).append(repository.repository).append(nul);
}

std::string key(Kind kind, const Digest& digest) {
  std::string out = prefix(kind);
  put_digest(out, digest);
  return out;
}

std::string key(Kind kind, const RepositoryKey& repository, const Digest& digest) {
  std::string out = prefix(kind, repository);
  put_digest(out, digest);
  return out;
}

std::string key(Kind kind, const RepositoryKey& repository, std::string_view name) {
  return prefix(kind, repository).append(name);
}

std::string after(std::string text) {
  text.back() = static_cast<char>(static_cast<unsigned char>(text.back()) + 1);
  return text;
}

Result<Digest> parse_digest(std::string_view encoded) {
  if (encoded.empty()) return damaged("digest");
  const auto algorithm = static_cast<Digest::Algorithm>(encoded.front());
  auto digest = Digest::from_bytes(algorithm, std::as_bytes(std::span(encoded.substr(1))));
  if (!digest) return damaged("digest");
  return digest;
}

Result<Digest> digest_of_key(std::string_view key) { return parse_digest(key.empty() ? key : key.substr(1)); }

Result<RepositoryRow> parse_repository_key(std::string_view key) {
  if (key.empty()) return damaged("key");
  key.remove_prefix(1);
  const auto first = key.find('\0');
  if (first == std::string_view::npos) return damaged("key");
  const auto second = key.find('\0', first + 1);
  if (second == std::string_view::npos) return damaged("key");
  return RepositoryRow{{std::string(key.substr(0, first)), std::string(key.substr(first + 1, second - first - 1))},
                       key.substr(second + 1)};
}

std::string encode(const BlobRecord& record) {
  std::string out{value_version};
  put_integer(out, record.size, 8);
  put_time(out, record.last_used);
  return out;
}

std::string encode(const ManifestRecord& record) {
  std::string out{value_version};
  put_text(out, record.media_type);
  put_text(out, record.content);
  put_integer(out, record.children.size(), 4);
  for (const Digest& child : record.children) put_digest(out, child);
  return out;
}

std::string encode(const TagRecord& record) {
  std::string out{value_version};
  put_digest(out, record.digest);
  put_time(out, record.changed);
  put_time(out, record.validated);
  return out;
}

std::string encode_pin(const PinRecord& pin) {
  std::string out{value_version};
  put_digest(out, pin.manifest);
  put_integer(out, pin.until ? 1 : 0, 1);
  if (pin.until) put_time(out, *pin.until);
  if (!pin.rule.empty()) put_text(out, pin.rule);
  return out;
}

std::string encode_mark() { return {value_version}; }

Result<BlobRecord> decode_blob(std::string_view value) {
  Reader reader(value);
  BlobRecord record;
  record.size = reader.integer(8);
  record.last_used = reader.time();
  if (!reader.complete()) return damaged("blob record");
  return record;
}

Result<ManifestRecord> decode_manifest(std::string_view value) {
  Reader reader(value);
  ManifestRecord record;
  record.media_type = reader.text();
  record.content = reader.text();
  const std::uint64_t children = reader.integer(4);
  for (std::uint64_t i = 0; i < children && reader.good(); ++i) {
    if (const auto child = reader.digest()) record.children.push_back(*child);
  }
  if (!reader.complete()) return damaged("manifest record");
  return record;
}

Result<TagRecord> decode_tag(std::string_view value) {
  Reader reader(value);
  const auto digest = reader.digest();
  const WallTime changed = reader.time();
  const WallTime validated = reader.time();
  if (!digest || !reader.complete()) return damaged("tag record");
  return TagRecord{*digest, changed, validated};
}

Result<PinRecord> decode_pin(std::string_view key, std::string_view value) {
  auto row = parse_repository_key(key);
  if (!row) return std::unexpected(std::move(row).error());
  Reader reader(value);
  const auto manifest = reader.digest();
  std::optional<WallTime> until;
  if (reader.integer(1) != 0) until = reader.time();
  std::string rule = reader.complete() ? std::string() : reader.text();
  if (!manifest || !reader.complete()) return damaged("pin record");
  return PinRecord{std::move(row->repository), std::string(row->rest), *manifest, until, std::move(rule)};
}

Result<std::pair<Digest, BlobRecord>> decode_blob_row(std::string_view key, std::string_view value) {
  const auto digest = digest_of_key(key);
  if (!digest) return std::unexpected(digest.error());
  const auto record = decode_blob(value);
  if (!record) return std::unexpected(record.error());
  return std::pair(*digest, *record);
}

Result<TagRow> decode_tag_row(std::string_view key, std::string_view value) {
  auto row = parse_repository_key(key);
  if (!row) return std::unexpected(std::move(row).error());
  const auto record = decode_tag(value);
  if (!record) return std::unexpected(record.error());
  return TagRow{std::move(row->repository), std::string(row->rest), *record};
}

}  // namespace paddock::catalog_codec
