#include "proxy/host/prepull/pull_progress.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace paddock {
namespace {

constexpr std::size_t shown_digits = 12;
constexpr std::size_t layers_limit = 1000;  // no engine takes an image of more than 127

}  // namespace

std::string_view to_string(LayerPhase phase) {
  switch (phase) {
    case LayerPhase::waiting:
      return "waiting";
    case LayerPhase::downloading:
      return "downloading";
    case LayerPhase::downloaded:
      return "downloaded";
    case LayerPhase::unpacking:
      return "unpacking";
    case LayerPhase::ready:
      return "ready";
  }
  return "";
}

PullProgress::PullProgress(const std::vector<Descriptor>& layers) {
  for (const auto& layer : layers) {
    if (layers_.size() == layers_limit) break;
    const auto id = layer.digest.hex().substr(0, shown_digits);
    if (std::ranges::find(layers_, id, &LayerProgress::id) == layers_.end()) layers_.push_back({id, layer.size});
  }
}

void PullProgress::set(std::string_view id, LayerPhase phase, double share) {
  if (id.size() < shown_digits) return;
  const auto layer = std::ranges::find(layers_, id.substr(0, shown_digits), &LayerProgress::id);
  if (layer == layers_.end()) return;
  if (!(share >= 0)) share = 0;  // not a number is none
  auto done = static_cast<std::uint64_t>(std::min(share, 1.0) * static_cast<double>(layer->size));
  if (phase == LayerPhase::ready) done = layer->size;
  if (layer->phase == phase && layer->done == done) return;
  layer->phase = phase;
  layer->done = done;
  ++steps_;
}

void PullProgress::all_ready() {
  for (const auto& layer : layers_) set(layer.id, LayerPhase::ready);
}

std::uint64_t PullProgress::total() const {
  return std::transform_reduce(layers_.begin(), layers_.end(), std::uint64_t{0}, std::plus<>(),
                               [](const auto& layer) { return layer.size; });
}

std::uint64_t PullProgress::downloaded() const {
  return std::transform_reduce(layers_.begin(), layers_.end(), std::uint64_t{0}, std::plus<>(), [](const auto& layer) {
    if (layer.phase == LayerPhase::downloading) return std::min(layer.done, layer.size);
    return layer.phase == LayerPhase::waiting ? 0 : layer.size;
  });
}

std::size_t PullProgress::ready() const {
  return static_cast<std::size_t>(std::ranges::count(layers_, LayerPhase::ready, &LayerProgress::phase));
}

}  // namespace paddock
