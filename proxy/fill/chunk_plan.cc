#include "proxy/fill/chunk_plan.h"

#include <algorithm>

namespace paddock {

ChunkPlan::ChunkPlan(std::uint64_t size, std::uint64_t chunk, const ExtentMap& present)
    : size_(size), chunk_(chunk), present_(present), taken_(present) {}

Extent ChunkPlan::cut(Extent free, std::span<const std::uint64_t> readers, std::uint64_t length) const {
  const std::uint64_t chunk_end = (free.begin / chunk_ + 1) * chunk_;
  std::uint64_t end = free.begin + std::min(length, free.end - free.begin);
  for (const std::uint64_t reader : readers) {
    if (reader > free.begin) end = std::min(end, reader);
  }
  if (end < free.end) end = end / chunk_ * chunk_;
  return {free.begin, std::min(free.end, std::max(end, chunk_end))};
}

std::optional<ChunkPlan::Piece> ChunkPlan::next(std::span<const std::uint64_t> readers, std::uint64_t length) {
  Extent best = first_free(0);
  std::uint64_t best_distance = UINT64_MAX;
  for (const std::uint64_t reader : readers) {
    if (reader >= size_) continue;
    const Extent free = first_free(reader);
    if (free.begin >= free.end) continue;
    if (free.begin - reader < best_distance) {
      best_distance = free.begin - reader;
      best = free;
    }
  }
  if (best.begin >= best.end) return std::nullopt;
  best = cut(best, readers, length);
  taken_.add(best);
  const Piece piece{.ticket = next_ticket_++, .extent = best};
  in_flight_.emplace(piece.ticket, piece);
  return piece;
}

std::optional<ChunkPlan::Piece> ChunkPlan::twin(Ticket slow) {
  const Extent missing = rest(slow);
  if (missing.begin >= missing.end) return std::nullopt;
  const bool has_twin = std::ranges::any_of(in_flight_, [&](const auto& entry) {
    const auto& [ticket, piece] = entry;
    return ticket != slow && piece.extent.begin < missing.end && missing.begin < piece.extent.end;
  });
  if (has_twin) return std::nullopt;
  const Piece piece{.ticket = next_ticket_++, .extent = missing};
  in_flight_.emplace(piece.ticket, piece);
  return piece;
}

void ChunkPlan::progress(Ticket ticket, std::uint64_t end) {
  const auto found = in_flight_.find(ticket);
  if (found == in_flight_.end()) return;
  Extent& extent = found->second.extent;
  end = std::min(end, extent.end);
  if (end <= extent.begin) return;
  present_.add({extent.begin, end});
  taken_.add({extent.begin, end});
  extent.begin = end;
}

void ChunkPlan::release(Ticket ticket) {
  if (in_flight_.erase(ticket) == 0) return;
  taken_ = present_;
  for (const auto& [other, piece] : in_flight_) taken_.add(piece.extent);
}

Extent ChunkPlan::rest(Ticket ticket) const {
  const auto found = in_flight_.find(ticket);
  if (found == in_flight_.end()) return {};
  const Extent extent = found->second.extent;
  return {present_.run_end(extent.begin), extent.end};
}

bool ChunkPlan::complete() const { return present_.covers({0, size_}); }

}  // namespace paddock
