// What every BlobStore must do, wherever it keeps its bytes. `store` is empty and has room for a few megabytes.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "storage/blob_store.h"
#include "tests/storage/file_system_conformance.h"

namespace paddock {

inline std::string read_blob(BlobStore& store, const Digest& digest) {
  const auto blob = store.open(digest);
  REQUIRE(blob);
  CHECK(blob->file->size() == blob->size);
  return read_text(*blob->file, 0, blob->size + 1);
}

inline Result<void> fill_blob(BlobStore& store, const Digest& digest, std::string_view content) {
  auto partial = store.begin(digest, content.size());
  if (!partial) return std::unexpected(partial.error());
  if (auto written = (*partial)->write(0, bytes_of(content)); !written) {
    store.abandon(**partial, written.error());
    return written;
  }
  return store.commit(**partial);
}

inline void check_put_conformance(BlobStore& store) {
  const std::string content = "some content";
  const Digest digest = Digest::of(content, GENERATE(Digest::Algorithm::sha256, Digest::Algorithm::sha512));
  SECTION("what was put comes back") {
    REQUIRE(store.put(digest, content));
    CHECK(read_blob(store, digest) == content);
    CHECK(store.put(digest, content));  // already there
    CHECK(read_blob(store, digest) == content);
  }
  SECTION("the empty blob is a blob") {
    const Digest empty = Digest::of("");
    REQUIRE(store.put(empty, ""));
    CHECK(read_blob(store, empty).empty());
    CHECK(store.erase(empty) == 0U);
  }
  SECTION("content that is not what the digest says is refused") {
    const auto put = store.put(digest, "other content");
    REQUIRE_FALSE(put);
    CHECK(put.error().code == ErrorCode::digest_mismatch);
    CHECK(store.open(digest).error().code == ErrorCode::not_found);
  }
  SECTION("what is absent is not found") {
    CHECK(store.open(digest).error().code == ErrorCode::not_found);
    CHECK(store.erase(digest).error().code == ErrorCode::not_found);
  }
  SECTION("erase gives the bytes back, and who reads goes on reading") {
    REQUIRE(store.put(digest, content));
    const auto blob = store.open(digest);
    CHECK(store.erase(digest) == content.size());
    CHECK(store.open(digest).error().code == ErrorCode::not_found);
    CHECK(store.erase(digest).error().code == ErrorCode::not_found);
    CHECK(read_text(*blob->file, 0, 100) == content);
    REQUIRE(store.put(digest, content));
    CHECK(read_blob(store, digest) == content);
  }
  SECTION("the same content under two algorithms is two blobs") {
    REQUIRE(store.put(Digest::of(content, Digest::Algorithm::sha256), content));
    REQUIRE(store.put(Digest::of(content, Digest::Algorithm::sha512), content));
    REQUIRE(store.erase(digest));
    CHECK_FALSE(store.open(digest));
    const bool was_256 = digest.algorithm() == Digest::Algorithm::sha256;
    CHECK(store.open(Digest::of(content, was_256 ? Digest::Algorithm::sha512 : Digest::Algorithm::sha256)));
  }
}

inline void check_fill_conformance(BlobStore& store) {
  const std::string content(3 * PartialBlob::hold_back, 'c');
  const Digest digest = Digest::of(content);
  const Error why{.code = ErrorCode::unavailable, .blame = Blame::upstream, .context = "given up"};
  SECTION("a filled blob can be opened after commit and not before") {
    const auto partial = store.begin(digest, GENERATE(true, false) ? std::optional(content.size()) : std::nullopt);
    REQUIRE(partial);
    REQUIRE((*partial)->write(0, bytes_of(content)));
    CHECK(store.open(digest).error().code == ErrorCode::not_found);
    REQUIRE(store.commit(**partial));
    CHECK((*partial)->state() == PartialBlob::State::committed);
    CHECK(read_blob(store, digest) == content);
    CHECK(read_text(*(*partial)->file(), 0, content.size()) == content);
  }
  SECTION("one fill a digest at a time") {
    const auto partial = store.begin(digest, content.size());
    REQUIRE(partial);
    CHECK(store.begin(digest, content.size()).error().code == ErrorCode::conflict);
    CHECK(store.begin(Digest::of("another"), 7));
    store.abandon(**partial, why);
    CHECK(store.begin(digest, content.size()));
  }
  SECTION("after abandon its readers fail, nothing is there, and it can begin again") {
    const auto partial = store.begin(digest, content.size());
    REQUIRE((*partial)->write(0, bytes_of("cccc")));
    store.abandon(**partial, why);
    CHECK((*partial)->state() == PartialBlob::State::failed);
    CHECK((*partial)->write(4, bytes_of("c")).error().code == ErrorCode::unavailable);
    CHECK_FALSE(store.open(digest));
    CHECK(store.commit(**partial).error().code == ErrorCode::conflict);
    REQUIRE(fill_blob(store, digest, content));
    CHECK(read_blob(store, digest) == content);
  }
  SECTION("abandoning a second time does not touch the fill that came after") {
    const auto first = store.begin(digest, content.size());
    store.abandon(**first, why);
    const auto second = store.begin(digest, content.size());
    REQUIRE((*second)->write(0, bytes_of(content)));
    store.abandon(**first, why);
    REQUIRE(store.commit(**second));
    store.abandon(**second, why);
    CHECK(read_blob(store, digest) == content);
  }
  SECTION("wrong bytes are never committed") {
    const auto done = fill_blob(store, digest, std::string(content.size(), 'x'));
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ErrorCode::digest_mismatch);
    CHECK_FALSE(store.open(digest));
    CHECK(fill_blob(store, digest, content));
  }
  SECTION("a fill with bytes missing is not committed") {
    const auto partial = store.begin(digest, content.size());
    REQUIRE((*partial)->write(0, bytes_of(content).first(1000)));
    CHECK(store.commit(**partial).error().code == ErrorCode::protocol);
    CHECK((*partial)->state() == PartialBlob::State::failed);
    CHECK_FALSE(store.open(digest));
  }
  SECTION("putting while it is being filled disturbs neither") {
    const auto partial = store.begin(digest, content.size());
    REQUIRE((*partial)->write(0, bytes_of(content)));
    REQUIRE(store.put(digest, content));
    CHECK(read_blob(store, digest) == content);
    REQUIRE(store.commit(**partial));
    CHECK(read_blob(store, digest) == content);
    CHECK(store.erase(digest) == content.size());
    CHECK_FALSE(store.open(digest));
  }
}

inline void check_concurrent_conformance(BlobStore& store) {
  std::vector<std::string> contents;
  for (int i = 0; i < 8; ++i) contents.push_back(std::string(1000 + i, static_cast<char>('a' + i)));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 60; ++round) {
        const std::string& content = contents.at((round * 3 + t) % contents.size());
        const Digest digest = Digest::of(content);
        if (t % 2 == 0) {
          if (!store.put(digest, content)) ++wrong;
        } else {
          const auto filled = fill_blob(store, digest, content);
          if (!filled && filled.error().code != ErrorCode::conflict) ++wrong;
        }
        if (const auto blob = store.open(digest)) {
          std::string text(blob->size, '?');
          const auto got = blob->file->read_at(0, std::as_writable_bytes(std::span(text)));
          if (!got || text != content) ++wrong;
        }
        if (round % 5 == 0) (void)store.erase(digest);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace paddock
