// A PartialBlob in memory with content of its own, for the tests of partial_blob.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "storage/partial_blob.h"
#include "tests/storage/file_system_conformance.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/memory_file_system.h"

namespace paddock {

using State = PartialBlob::State;
using Deadline = std::chrono::steady_clock::time_point;
constexpr std::uint64_t hold_back = PartialBlob::hold_back;
inline const Deadline never = Deadline::max();
inline const Deadline past = Deadline::min();
inline const Error broke{.code = ErrorCode::unavailable, .blame = Blame::upstream, .context = "the line broke"};

// Bytes that differ from place to place.
inline std::string content_of(std::size_t length) {
  std::mt19937 random(static_cast<unsigned>(length));
  std::string content(length, '\0');
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

class Fill {
 public:
  // `named` after other content: a fill whose digest is wrong.
  explicit Fill(std::size_t length, bool size_known = true, std::optional<std::string_view> named = {})
      : content(content_of(length)), blob_(make(size_known, Digest::of(named.value_or(content)))) {}

  PartialBlob& blob() { return *blob_; }
  Result<void> write(std::uint64_t begin, std::uint64_t end) {
    return blob_->write(begin, bytes_of(std::string_view(content).substr(begin, end - begin)));
  }
  std::string in_file() { return read_text(*blob_->file(), 0, content.size() + 1); }

  MemoryFileSystem memory;
  FaultFileSystem fs{memory};
  const std::string content;

 private:
  std::unique_ptr<PartialBlob> make(bool size_known, const Digest& digest) {
    auto file = fs.open("/partial", FileSystem::Open::create);
    REQUIRE(file);
    const auto size = size_known ? std::optional<std::uint64_t>(content.size()) : std::nullopt;
    return std::make_unique<PartialBlob>(digest, size, "/partial", std::move(*file), Reservation());
  }
  std::unique_ptr<PartialBlob> blob_;
};

}  // namespace paddock
