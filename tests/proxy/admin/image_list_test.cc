#include "proxy/admin/image_list.h"

#include <catch2/catch.hpp>

#include "tests/proxy/admin/image_builder.h"

namespace paddock {
namespace {

using test::at_second;
using test::descriptor;
using test::image_type;
using test::ImageBuilder;
using test::index_type;

std::vector<std::string> names(const ImagePage& page) {
  std::vector<std::string> out;
  for (const auto& image : page.images) out.push_back(image.name());
  return out;
}

nlohmann::json index_entry(const std::string& manifest, const char* architecture) {
  auto entry = descriptor(manifest, image_type);
  entry["platform"] = {{"os", "linux"}, {"architecture", architecture}};
  return entry;
}

std::string index_text(const nlohmann::json& entries) {
  return nlohmann::json{{"schemaVersion", 2}, {"mediaType", index_type}, {"manifests", entries}}.dump();
}

TEST_CASE("an empty catalog lists nothing") {
  MemoryCatalog catalog;
  const auto page = list_images(catalog, {}).value();
  CHECK(page.images.empty());
  CHECK_FALSE(page.more);
}

TEST_CASE("a fully stored image is complete, with its sizes, times and last use") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  const auto digest = builder.put_image({"config", true, 5}, {{"layer one", true, 9}, {"layer two", true, 3}});
  builder.put_tag("2.6.2", digest);
  const auto page = list_images(catalog, {}).value();
  REQUIRE(page.images.size() == 1);
  const auto& image = page.images[0];
  CHECK(image.name() == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
  CHECK(image.digest == digest);
  CHECK(image.media_type == image_type);
  CHECK(image.total == 6 + 9 + 9);
  CHECK(image.stored == image.total);
  CHECK(image.complete);
  CHECK(image.last_used == at_second(9));
  CHECK(image.changed == at_second(1));
  CHECK(image.validated == at_second(2));
  REQUIRE(image.platforms.size() == 1);
  CHECK(image.platforms[0].name.empty());
  CHECK(image.platforms[0].present);
}

TEST_CASE("a missing layer makes an image incomplete and is not counted as stored") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  builder.put_tag("t", builder.put_image({"config"}, {{"here"}, {"not here", false}}));
  const auto image = list_images(catalog, {}).value().images.at(0);
  CHECK_FALSE(image.complete);
  CHECK(image.total == 6 + 4 + 8);
  CHECK(image.stored == 6 + 4);
}

TEST_CASE("a layer named twice is counted once") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  builder.put_tag("t", builder.put_image({"config"}, {{"same"}, {"same"}}));
  const auto image = list_images(catalog, {}).value().images.at(0);
  CHECK(image.total == 6 + 4);
  CHECK(image.platforms.at(0).total == 6 + 4);
}

TEST_CASE("an index shows which platforms are stored, and shared layers count once for the image") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  const auto amd64 = builder.manifest_text({"config a"}, {{"shared"}, {"only a"}});
  const auto arm64 = builder.manifest_text({"config b"}, {{"shared"}, {"only b", false}});
  const auto never_pulled = std::string("manifest of another platform");
  builder.put_manifest(amd64, image_type);
  builder.put_manifest(arm64, image_type);
  builder.put_tag("multi", builder.put_manifest(index_text({index_entry(amd64, "amd64"), index_entry(arm64, "arm64"),
                                                            index_entry(never_pulled, "riscv64")}),
                                                index_type));
  const auto image = list_images(catalog, {}).value().images.at(0);
  CHECK(image.media_type == index_type);
  CHECK_FALSE(image.complete);
  CHECK(image.total == 8 + 6 + 6 + 8 + 6);
  CHECK(image.stored == 8 + 6 + 6 + 8);
  REQUIRE(image.platforms.size() == 3);
  CHECK(image.platforms[0].name == "linux/amd64");
  CHECK(image.platforms[0].complete);
  CHECK(image.platforms[0].total == 8 + 6 + 6);
  CHECK(image.platforms[1].name == "linux/arm64");
  CHECK(image.platforms[1].present);
  CHECK_FALSE(image.platforms[1].complete);
  CHECK(image.platforms[2].digest == Digest::of(never_pulled));
  CHECK_FALSE(image.platforms[2].present);
  CHECK_FALSE(image.platforms[2].complete);
}

TEST_CASE("a variant is part of a platform's name") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  auto entry = index_entry("m", "arm");
  entry["platform"]["variant"] = "v7";
  builder.put_tag("t", builder.put_manifest(index_text(nlohmann::json::array({entry})), index_type));
  CHECK(list_images(catalog, {}).value().images.at(0).platforms.at(0).name == "linux/arm/v7");
}

TEST_CASE("a manifest with sizes beyond reason counts as unreadable") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  auto manifest = nlohmann::json::parse(builder.manifest_text({"config"}, {{"a"}, {"b"}}));
  for (auto& layer : manifest["layers"]) layer["size"] = std::int64_t{0x7fffffffffffffff};
  builder.put_tag("t", builder.put_manifest(manifest.dump(), image_type));
  const auto page = list_images(catalog, {}).value();
  CHECK(page.images.at(0).total == 0);
  CHECK_FALSE(page.images.at(0).complete);
}

TEST_CASE("a manifest that cannot be read, or is missing, does not hide the other images") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  builder.put_tag("broken", builder.put_manifest("<html>not a manifest</html>", image_type));
  builder.put_tag("lost", Digest::of("never stored"));
  builder.put_tagged("whole", "layer");
  const auto page = list_images(catalog, {}).value();
  REQUIRE(page.images.size() == 3);
  CHECK_FALSE(page.images[0].complete);
  CHECK_FALSE(page.images[1].complete);
  CHECK(page.images[1].platforms.empty());
  CHECK_FALSE(page.images[1].last_used.has_value());
  CHECK(page.images[2].complete);
}

TEST_CASE("pages follow one another without gaps or repeats") {
  MemoryCatalog catalog;
  ImageBuilder builder{catalog};
  for (const auto* tag : {"c", "a", "b"}) builder.put_tagged(tag, tag);
  builder.repository = {"docker.io", "library/debian"};
  builder.put_tagged("12", "debian");
  std::vector<std::string> seen;
  ImageQuery query{.limit = 2, .after = {}};
  for (int pages = 1;; ++pages) {
    const auto page = list_images(catalog, query).value();
    REQUIRE(page.images.size() <= 2);
    for (const auto& name : names(page)) seen.push_back(name);
    if (!page.more) break;
    REQUIRE(pages < 5);
    query.after = ImageCursor{page.images.back().repository, page.images.back().tag};
  }
  CHECK(seen == std::vector<std::string>{"docker.io/library/debian:12", "registry.baidubce.com/paddlepaddle/paddle:a",
                                         "registry.baidubce.com/paddlepaddle/paddle:b",
                                         "registry.baidubce.com/paddlepaddle/paddle:c"});
}

TEST_CASE("a page that ends with the last image says that there is no more") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  builder.put_tagged("a", "a");
  builder.put_tagged("b", "b");
  CHECK_FALSE(list_images(catalog, {.limit = 2, .after = {}}).value().more);
  CHECK(list_images(catalog, {.limit = 1, .after = {}}).value().more);
}

TEST_CASE("pins are shown with the image they keep") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  const auto digest = builder.put_tagged("a", "a");
  builder.put_tagged("b", "b");
  catalog.put_pin({builder.repository, "a", digest, at_second(100)}).value();
  catalog.put_pin({{"elsewhere", "x"}, "a", digest, {}}).value();
  const auto page = list_images(catalog, {}).value();
  REQUIRE(page.images.at(0).pins.size() == 1);
  CHECK(page.images[0].pins[0].until == at_second(100));
  CHECK(page.images.at(1).pins.empty());
}

TEST_CASE("an image is found by its full name, by its repository alone and by digest") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  const auto digest = builder.put_tagged("2.6.2", "layer");
  builder.put_tag("latest", digest);
  for (const auto& reference :
       {std::string("registry.baidubce.com/paddlepaddle/paddle:2.6.2"), std::string("paddlepaddle/paddle:2.6.2")}) {
    const auto found = find_image(catalog, reference, "");
    REQUIRE(found);
    CHECK(found->name() == "registry.baidubce.com/paddlepaddle/paddle:2.6.2");
    CHECK(found->complete);
  }
  CHECK(find_image(catalog, "paddlepaddle/paddle", "").value().tag == "latest");
  const auto by_digest = find_image(catalog, "paddlepaddle/paddle@" + digest.to_string(), "").value();
  CHECK(by_digest.tag.empty());
  CHECK(by_digest.name() == "registry.baidubce.com/paddlepaddle/paddle@" + digest.to_string());
  CHECK(by_digest.complete);
  CHECK_FALSE(by_digest.changed.has_value());
}

TEST_CASE("an upstream whose name is no host is found by its full name too") {
  MemoryCatalog catalog;
  ImageBuilder builder{catalog, {"local", "team/app"}};
  builder.put_tagged("1", "layer");
  CHECK(find_image(catalog, "local/team/app:1", "").value().repository.upstream == "local");
}

TEST_CASE("of several upstreams the preferred one answers for a bare name") {
  MemoryCatalog catalog;
  ImageBuilder builder{catalog, {"a.example", "app"}};
  builder.put_tagged("1", "a");
  builder.repository.upstream = "b.example";
  builder.put_tagged("1", "b");
  builder.put_tagged("only-b", "b");
  CHECK(find_image(catalog, "app:1", "b.example").value().repository.upstream == "b.example");
  CHECK(find_image(catalog, "app:1", "").value().repository.upstream == "a.example");
  CHECK(find_image(catalog, "app:only-b", "a.example").value().repository.upstream == "b.example");
}

TEST_CASE("what is not cached is not found, and a digest only where it belongs") {
  MemoryCatalog catalog;
  ImageBuilder builder{catalog};
  const auto digest = builder.put_tagged("1", "layer");
  builder.repository.repository = "other/repository";
  builder.put_tagged("1", "another layer");
  for (const auto& reference :
       {std::string("paddlepaddle/paddle:2"), std::string("nothing/here:1"), "other/repository@" + digest.to_string(),
        "paddlepaddle/paddle@" + Digest::of("unknown").to_string()}) {
    const auto found = find_image(catalog, reference, "");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::not_found);
    CHECK(found.error().blame == Blame::client);
  }
}

TEST_CASE("a malformed reference is the client's mistake") {
  MemoryCatalog catalog;
  for (const auto* reference : {"", "UPPER/case", "a//b", "a:b:c", "a@sha256:12", "../../etc/passwd"}) {
    const auto found = find_image(catalog, reference, "");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("a failing catalog is reported, not shown as emptiness") {
  MemoryCatalog catalog;
  const ImageBuilder builder{catalog};
  builder.put_tagged("1", "layer");
  catalog.fail_with(Error{ErrorCode::io, Blame::us, "disk gone"});
  CHECK(list_images(catalog, {}).error().code == ErrorCode::io);
  CHECK(find_image(catalog, "paddlepaddle/paddle:1", "").error().code == ErrorCode::io);
}

}  // namespace
}  // namespace paddock
