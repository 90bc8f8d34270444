// The part of App that keeps images from eviction.
#include <algorithm>
#include <utility>

#include "proxy/app.h"
#include "proxy/oci/reference.h"
#include "proxy/warm/planner.h"

namespace paddock {
void App::add_pins(AdminData& data) {
  data.pins = [this]() -> Result<std::vector<PinRecord>> {
    if (!ready_) return recovering();
    return storage_->catalog().pins();
  };
  data.pin = [this](const PinOrder& order) -> Result<PinRecord> {
    if (!ready_) return recovering();
    return pin(order);
  };
  data.unpin = [this](const std::string& reference) -> Result<PinRecord> {
    if (!ready_) return recovering();
    return unpin(reference);
  };
}

Result<PinRecord> App::pin(const PinOrder& order) {
  const auto image = find_image(storage_->catalog(), order.image, upstreams_->get()->default_name);
  if (!image) return std::unexpected(image.error());
  PinRecord pin{image->repository, image->tag.empty() ? image->digest.to_string() : image->tag, image->digest, {}};
  if (order.time) pin.until = clock_.wall() + *order.time;
  if (auto kept = storage_->manifests().put_pin(pin); !kept) return std::unexpected(std::move(kept).error());
  return pin;
}

// Also of what is not cached any more.
Result<PinRecord> App::unpin(const std::string& reference) {
  const auto wanted = parse_image_reference(reference);
  if (!wanted) return std::unexpected(wanted.error());
  const auto target = locate_repository(upstreams_->get()->selector, wanted->registry, wanted->repository);
  if (!target) return std::unexpected(target.error());
  const std::string name = wanted->digest ? wanted->digest->to_string() : wanted->tag.value_or("latest");
  const auto pins = storage_->catalog().pins();
  if (!pins) return std::unexpected(pins.error());
  const auto found = std::ranges::find_if(*pins, [&](const PinRecord& pin) {
    return pin.repository == RepositoryKey{target->upstream, target->repository} && pin.reference == name;
  });
  if (found == pins->end()) return fail(ErrorCode::not_found, Blame::client, reference + " is not pinned");
  auto erased = storage_->manifests().erase_pin(found->repository, name);
  if (!erased) return std::unexpected(std::move(erased).error());
  return *found;
}

}  // namespace paddock
