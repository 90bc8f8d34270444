// nearest_tags: which of the tags that exist would a person take instead of one that does not?
//
// What matters most comes first: the device, the kind of image and the architecture must fit; then the same CUDA major
// version, since a driver goes with it; then a near version, then a near CUDA, cuDNN, TensorRT. Where the grammar sees
// the same, spelling decides, then the newer one. A tag of which the grammar knows nothing is compared by spelling
// alone. Pure; thread-safe; never fails. Takes time in proportion to the number of tags.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paddock {

// The nearest first; empty when none is near.
std::vector<std::string> nearest_tags(std::string_view repository, std::string_view wanted,
                                      std::span<const std::string> existing, std::size_t count = 3);

// "no such tag; nearest: 2.6.0-gpu-cuda11.7-cudnn8.4-trt8.4, ..." or "no such tag".
std::string no_such_tag(std::string_view repository, std::string_view wanted, std::span<const std::string> existing);

}  // namespace paddock
