// The bytes of RocksCatalog's keys and values. Pure functions; knows nothing of RocksDB.
//
// A key is one letter for the kind, then its parts. Repository keys are ordered bytewise by upstream, then repository,
// then tag: the parts are ended by NUL, which sorts before every byte a part can hold. A digest is its algorithm's
// number and its raw bytes. A value starts with a version byte; integers are 64 or 32 bits, little-endian; texts have
// their length in front. Decoding trusts nothing and answers corrupt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/catalog.h"

namespace paddock::catalog_codec {

enum class Kind : char {
  blob = 'b',      // digest                        -> size, last use
  manifest = 'm',  // digest                        -> media type, content, children
  holder = 'r',    // upstream, repository, digest  -> the repository holds this manifest
  link = 'l',      // upstream, repository, digest  -> the repository is known to contain this digest
  tag = 't',       // upstream, repository, tag     -> digest, times
  pin = 'p',       // upstream, repository, reference -> manifest, until, rule
};

std::string prefix(Kind kind);
std::string prefix(Kind kind, const RepositoryKey& repository);  // all of one repository
std::string key(Kind kind, const Digest& digest);
std::string key(Kind kind, const RepositoryKey& repository, const Digest& digest);
std::string key(Kind kind, const RepositoryKey& repository, std::string_view name);
// The first key after all that start with `text`; `text` is not empty and its last byte is not 0xff.
std::string after(std::string text);

struct RepositoryRow {
  RepositoryKey repository;
  std::string_view rest;  // tag, reference, or an encoded digest; points into the key
};
Result<Digest> digest_of_key(std::string_view key);  // of a blob's or manifest's key
Result<RepositoryRow> parse_repository_key(std::string_view key);
Result<Digest> parse_digest(std::string_view encoded);

std::string encode(const BlobRecord& record);
std::string encode(const ManifestRecord& record);
std::string encode(const TagRecord& record);
std::string encode_pin(const PinRecord& pin);
std::string encode_mark();  // the value of a link

Result<BlobRecord> decode_blob(std::string_view value);
Result<ManifestRecord> decode_manifest(std::string_view value);
Result<TagRecord> decode_tag(std::string_view value);
Result<PinRecord> decode_pin(std::string_view key, std::string_view value);

// Key and value together.
struct TagRow {
  RepositoryKey repository;
  std::string tag;
  TagRecord record;
};
Result<std::pair<Digest, BlobRecord>> decode_blob_row(std::string_view key, std::string_view value);
Result<TagRow> decode_tag_row(std::string_view key, std::string_view value);

// Keys cannot hold these.
inline bool has_nul(std::string_view name) { return name.find('\0') != std::string_view::npos; }
inline bool has_nul(const RepositoryKey& key) { return has_nul(key.upstream) || has_nul(key.repository); }
inline std::unexpected<Error> refused_nul() {
  return fail(ErrorCode::invalid_argument, Blame::us, "a name in the catalog cannot hold a NUL");
}

}  // namespace paddock::catalog_codec
