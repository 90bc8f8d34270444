// TagFields: what the name of a Paddle image says about it, and the names of these fields.
//
// "paddlepaddle/paddle:2.6.2-gpu-cuda12.0-cudnn8.9-trt8.6" is version 2.6.2, device gpu, cuda 12.0, cudnn 8.9, trt 8.6.
// Every tag is valid: what is not recognised is passed over, and a field that nothing speaks of stays unknown.
// Spellings are made the same: gcc82 is gcc 8.2, cuda118 is cuda 11.8, aarch_64 is arm64. Pure; thread-safe; never
// fails.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/oci/version.h"

namespace paddock {

struct TagFields {
  std::optional<Version> version;  // of what the image is: of Paddle, PaddleX, Serving, FastDeploy...
  std::optional<std::string> device;
  std::optional<Version> cuda;
  std::optional<Version> cudnn;
  std::optional<Version> trt;  // TensorRT
  std::optional<Version> gcc;
  std::optional<Version> python;
  std::optional<std::string> os;       // "ubuntu20", "kylinv10"
  std::optional<std::string> arch;     // as in platforms: amd64, arm64
  std::vector<std::string> flavour;    // in the order of the name, each once
  std::optional<std::string> vendor;   // of the device, where the tag names it
  std::optional<std::string> chip;     // "910b"
  std::optional<Version> sm;           // GPU architecture: 120
  std::optional<std::string> sdk;      // of a device other than NVIDIA's
  std::optional<Version> sdk_version;  // cann701 is 7.0.1
  std::optional<Version> miopen;       // ROCm's cuDNN
  std::optional<Version> cnnl;         // Cambricon's cuDNN
  std::optional<Version> triton;       // Triton server under FastDeploy: 21.10
  std::optional<Version> paddle;       // these three where the tag names them
  std::optional<Version> paddlex;
  std::optional<Version> paddleocr;
  std::optional<std::string> prerelease;  // alpha, test, beta, rc; unknown for a release
  std::optional<std::string> commit;

  friend bool operator==(const TagFields&, const TagFields&) = default;
};

// `repository` as "paddlepaddle/paddle", without registry.
TagFields parse_tag(std::string_view repository, std::string_view tag);

struct TagField {
  using Number = std::optional<Version> TagFields::*;
  using Name = std::optional<std::string> TagFields::*;
  using Names = std::vector<std::string> TagFields::*;

  std::string_view name;
  std::variant<Number, Name, Names> member;
  std::span<const std::string_view> values{};  // all there are; empty: any
};

std::span<const TagField> tag_fields();
// By its name or another one that it has: variant is device, flavor is flavour. Null when there is none.
const TagField* find_tag_field(std::string_view name);

bool is_known(const TagFields& fields, const TagField& field);

}  // namespace paddock
