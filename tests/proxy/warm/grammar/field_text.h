// What is known of a tag as one line: "version=2.6.2 device=gpu flavour=dev,devel".
#pragma once

#include <string>
#include <string_view>

#include "proxy/oci/reference.h"
#include "proxy/warm/grammar/tag_fields.h"

namespace field_text {

inline std::string value_of(const paddock::TagFields& fields, const paddock::TagField& field) {
  using paddock::TagField;
  if (const auto* number = std::get_if<TagField::Number>(&field.member)) return (fields.**number)->to_string();
  if (const auto* name = std::get_if<TagField::Name>(&field.member)) return *(fields.**name);
  std::string text;
  for (const std::string& name : fields.*std::get<TagField::Names>(field.member)) {
    text += (text.empty() ? "" : ",") + name;
  }
  return text;
}

inline std::string of(const paddock::TagFields& fields) {
  std::string text;
  for (const paddock::TagField& field : paddock::tag_fields()) {
    if (!paddock::is_known(fields, field)) continue;
    text.append(text.empty() ? "" : " ").append(field.name).append("=").append(value_of(fields, field));
  }
  return text;
}

inline std::string of(std::string_view repository, std::string_view tag) {
  return of(paddock::parse_tag(repository, tag));
}

// "registry/repository:tag".
inline paddock::TagFields parsed(std::string_view reference) {
  const auto image = paddock::parse_image_reference(reference);
  return paddock::parse_tag(image.value().repository, image.value().tag.value());
}

}  // namespace field_text
