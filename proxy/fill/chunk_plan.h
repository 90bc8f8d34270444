// ChunkPlan: which part of a blob is fetched next. A plain value: no clock, no locks, no I/O.
//
//   absent ──next()──▶ in flight ──progress()…──▶ present
//     ▲                    │
//     └────── release() ───┘   what has not come is absent again
//
// A piece is one chunk, or several where that is asked for. Pieces end at multiples of the chunk size, so that what
// several connections do fits together. Offsets in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "storage/extent_map.h"

namespace paddock {

class ChunkPlan {
 public:
  using Ticket = std::uint64_t;
  struct Piece {
    Ticket ticket = 0;
    Extent extent;  // what is still to come of it
  };

  // `present` is what a fill that is taken up again has already.
  ChunkPlan(std::uint64_t size, std::uint64_t chunk, const ExtentMap& present = {});

  // What an idle connection fetches: the absent piece that some reader gets to first, else the lowest one. Nothing when
  // all that is missing is in flight. `readers` are their positions. One chunk, or as many as fit into `length` bytes
  // before another reader's.
  std::optional<Piece> next(std::span<const std::uint64_t> readers, std::uint64_t length = 0);
  // A second fetch of what is missing of a piece that comes too slowly; nothing if it has one already, or is done.
  std::optional<Piece> twin(Ticket slow);
  // The bytes from the piece's begin up to `end` are stored.
  void progress(Ticket ticket, std::uint64_t end);
  // The connection is done with it, whether all of it came or not.
  void release(Ticket ticket);

  // What is missing of a piece; empty when its bytes have come, by whatever connection.
  [[nodiscard]] Extent rest(Ticket ticket) const;
  [[nodiscard]] bool has_free() const { return free_bytes() > 0; }  // next() would give something
  // Neither present nor in flight.
  [[nodiscard]] std::uint64_t free_bytes() const { return size_ - taken_.total(); }
  [[nodiscard]] bool complete() const;

 private:
  // The first part, at or after `offset`, that is neither present nor in flight; empty if there is none.
  [[nodiscard]] Extent first_free(std::uint64_t offset) const { return taken_.first_gap(offset, size_); }
  // Of a free part what next() hands out.
  [[nodiscard]] Extent cut(Extent free, std::span<const std::uint64_t> readers, std::uint64_t length) const;

  const std::uint64_t size_, chunk_;
  ExtentMap present_, taken_;  // taken: present or in flight
  std::map<Ticket, Piece> in_flight_;
  Ticket next_ticket_ = 1;
};

}  // namespace paddock
