#include "proxy/warm/grammar/tag_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/warm/grammar/tag_words.h"

namespace paddock {
namespace {

const std::array<TagField, 23> fields_table{{
    {"version", &TagFields::version},
    {"device", &TagFields::device, tag_words::devices},
    {"cuda", &TagFields::cuda},
    {"cudnn", &TagFields::cudnn},
    {"trt", &TagFields::trt},
    {"gcc", &TagFields::gcc},
    {"python", &TagFields::python},
    {"os", &TagFields::os},
    {"arch", &TagFields::arch, tag_words::architectures},
    {"flavour", &TagFields::flavour, tag_words::flavours},
    {"vendor", &TagFields::vendor, tag_words::vendors},
    {"chip", &TagFields::chip},
    {"sm", &TagFields::sm},
    {"sdk", &TagFields::sdk, tag_words::sdk_names},
    {"sdk_version", &TagFields::sdk_version},
    {"miopen", &TagFields::miopen},
    {"cnnl", &TagFields::cnnl},
    {"triton", &TagFields::triton},
    {"paddle", &TagFields::paddle},
    {"paddlex", &TagFields::paddlex},
    {"paddleocr", &TagFields::paddleocr},
    {"prerelease", &TagFields::prerelease, tag_words::prereleases},
    {"commit", &TagFields::commit},
}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> other_names{
    {{"variant", "device"}, {"flavor", "flavour"}, {"tensorrt", "trt"}, {"architecture", "arch"}}};

}  // namespace

std::span<const TagField> tag_fields() { return fields_table; }

const TagField* find_tag_field(std::string_view name) {
  for (const auto& [other, usual] : other_names) {
    if (name == other) name = usual;
  }
  const auto* const field = std::ranges::find(fields_table, name, &TagField::name);
  return field == fields_table.end() ? nullptr : field;
}

bool is_known(const TagFields& fields, const TagField& field) {
  if (const auto* names = std::get_if<TagField::Names>(&field.member)) return !(fields.**names).empty();
  if (const auto* name = std::get_if<TagField::Name>(&field.member)) return (fields.**name).has_value();
  return (fields.*std::get<TagField::Number>(field.member)).has_value();
}

}  // namespace paddock
