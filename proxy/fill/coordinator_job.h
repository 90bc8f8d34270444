// The working state of one fill. Private to the coordinator's files.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/fill/coordinator.h"

namespace paddock {

struct FillCoordinator::Job {
  explicit Job(const FillOrder& order)
      : digest(order.digest),
        in_background(order.priority == FillPriority::background),
        for_clients(order.priority == FillPriority::client),
        sources(std::make_shared<FillSources>(BlobSource{order.upstream, order.repository, order.limits})),
        fill(std::make_shared<Fill>(order.digest, order.upstream->name(), order.repository)) {}

  // An endpoint of an upstream.
  using Place = std::pair<std::shared_ptr<Upstream>, std::string>;

  // It was wanted in the background only, and is not any more.
  [[nodiscard]] bool unwanted() const { return !in_background && !for_clients && !fill->wanted(); }

  const Digest digest;
  std::atomic<bool> in_background;  // somebody wants it without reading it
  std::atomic<bool> for_clients;    // a client has come to it
  const std::shared_ptr<FillSources> sources;
  const std::shared_ptr<Fill> fill;
  std::unique_ptr<FillSlots::Slot> slot;
  std::shared_ptr<PartialBlob> partial;  // once begun
  bool resumed = false;                  // the partial has bytes of an earlier fill
  bool one_source = false;               // bytes came wrong: a single stream now
  bool verified_wrong = false;           // the whole was, so that any of `places` may be at fault
  std::map<Place, std::size_t> places;   // where the partial's bytes came from, and in how many transfers
  std::optional<std::chrono::steady_clock::time_point> alone_since;
};

// Under which a source that sent a blob wrong is remembered.
inline std::string wrong_key(const Digest& digest, const BlobSource& source) {
  return digest.to_string() + ' ' + source.upstream->name() + '/' + source.repository;
}

}  // namespace paddock
