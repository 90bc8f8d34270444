// ImagePattern: one entry of a rule's `images`.
//
//   registry.baidubce.com/paddlepaddle/paddle            every tag
//   registry.baidubce.com/paddlepaddle/paddle:2.6*       those that begin so
//   registry.baidubce.com/paddlepaddle/*:latest          in each of these repositories
//   registry.baidubce.com/paddlepaddle/paddle:2.6.2      this one: fixed, taken whether a list names it or not
//   registry.baidubce.com/paddlepaddle/paddle@sha256:... fixed too
//
// '*' stands for any text without '/', '**' for any text. The registry is named in full, or left out for the default
// one. A value; immutable, so thread-safe. Errors: invalid_argument, blames the client, says which part is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/oci/reference.h"
#include "storage/error.h"

namespace paddock {

struct ImagePattern {
  std::string text;  // as it was written
  std::string registry;
  std::string repository;  // a glob, as the tag
  std::string tag;         // "*" when none was written; empty when only a digest was
  std::optional<Digest> digest;

  static Result<ImagePattern> parse(std::string_view text, std::string_view default_registry);

  [[nodiscard]] bool is_fixed() const;              // names one image; no list of tags is needed
  [[nodiscard]] bool names_one_repository() const;  // else lists of the repositories that are known are
  [[nodiscard]] bool matches_repository(std::string_view a_registry, std::string_view a_repository) const;
  [[nodiscard]] bool matches_tag(std::string_view a_tag) const;
  [[nodiscard]] ImageReference reference() const;  // of one that is fixed
};

}  // namespace paddock
