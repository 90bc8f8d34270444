// What an image needs of a GPU and its driver, read from its configuration (a small blob; no layer is needed) and,
// where that says nothing, from its name.
//
// Follows the OCI image specification 1.1 (config.md) and the variables of nvidia/cuda images. Pure; thread-safe.
// Errors: protocol, for a configuration that is none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/host/driver_version.h"
#include "proxy/host/requirement.h"
#include "proxy/warm/grammar/tag_fields.h"
#include "storage/error.h"

namespace paddock {

// Where the CUDA version was found.
enum class CudaSource : std::uint8_t { none, config, requirement, tag };

struct ImageNeeds {
  std::string os{}, architecture{};  // empty: not said
  std::optional<CudaVersion> cuda{};
  CudaSource cuda_source = CudaSource::none;
  std::string compatibility_package{};  // "cuda-compat-12-1"; empty: none
  std::optional<CudaVersion> compatibility{};
  bool wants_gpu = false;  // NVIDIA_VISIBLE_DEVICES asks for some
  Requirements requirements{};
};

std::string_view to_string(CudaSource source);

// `content` is the configuration's bytes, `name` what the image's name says.
Result<ImageNeeds> read_image_needs(std::string_view content, const TagFields& name);
// Of an image whose configuration cannot be had.
ImageNeeds needs_by_name(const TagFields& name);

}  // namespace paddock
