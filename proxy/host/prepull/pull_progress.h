// PullProgress: how far a pull is, layer by layer. Which layers there are, and how large, is known from the manifest
// before the pull begins; what an engine says of others is not taken in, so that it cannot grow.
//
// A plain value; for one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/oci/manifest.h"

namespace paddock {

enum class LayerPhase : std::uint8_t { waiting, downloading, downloaded, unpacking, ready };
std::string_view to_string(LayerPhase phase);

struct LayerProgress {
  std::string id;  // the first twelve digits of its digest
  std::uint64_t size = 0;
  LayerPhase phase = LayerPhase::waiting;
  std::uint64_t done = 0;  // bytes of the phase, at most `size`
};

class PullProgress {
 public:
  PullProgress() = default;
  explicit PullProgress(const std::vector<Descriptor>& layers);

  // `id` is a digest's hex, or the beginning that engines show. `share` of the phase is done, from 0 to 1.
  void set(std::string_view id, LayerPhase phase, double share = 0);
  void all_ready();

  [[nodiscard]] const std::vector<LayerProgress>& layers() const { return layers_; }
  [[nodiscard]] std::uint64_t total() const;       // bytes
  [[nodiscard]] std::uint64_t downloaded() const;  // bytes that are there
  [[nodiscard]] std::size_t ready() const;         // layers
  // Grows with everything that is new: who stands still can be told from who repeats himself.
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  std::vector<LayerProgress> layers_;
  std::uint64_t steps_ = 0;
};

}  // namespace paddock
