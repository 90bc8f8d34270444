#include "proxy/warm/grammar/tag_fields.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "tests/proxy/warm/grammar/field_text.h"
#include "tests/proxy/warm/grammar/paddle_tags.h"

using paddock::find_tag_field;
using paddock::TagFields;

TEST_CASE("fields are found by name, each has one and some have another") {
  std::set<std::string_view> names;
  for (const paddock::TagField& field : paddock::tag_fields()) {
    CHECK(names.insert(field.name).second);
    CHECK(find_tag_field(field.name) == &field);
    CHECK_FALSE(is_known(TagFields{}, field));
  }
  CHECK(find_tag_field("variant") == find_tag_field("device"));
  CHECK(find_tag_field("flavor") == find_tag_field("flavour"));
  CHECK(find_tag_field("tensorrt") == find_tag_field("trt"));
  CHECK(find_tag_field("cud") == nullptr);
  CHECK(find_tag_field("") == nullptr);
}

TEST_CASE("each field and each device is found in one reference at least") {
  for (const paddock::TagField& field : paddock::tag_fields()) {
    CAPTURE(field.name);
    CHECK(std::ranges::any_of(paddle_tags::existing, [&](const paddle_tags::Row& row) {
      return is_known(field_text::parsed(row.reference), field);
    }));
  }
  for (const std::string_view device : find_tag_field("device")->values) {
    CAPTURE(device);
    CHECK(std::ranges::any_of(paddle_tags::existing, [&](const paddle_tags::Row& row) {
      return field_text::parsed(row.reference).device == device;
    }));
  }
}

TEST_CASE("what is known of two tags is the same when all of it is") {
  TagFields a;
  a.cuda = paddock::Version::parse("12");
  TagFields b;
  CHECK_FALSE(a == b);
  b.cuda = paddock::Version::parse("12.0");
  CHECK(a == b);
  b.flavour.emplace_back("dev");
  CHECK_FALSE(a == b);
}
