#include "proxy/oci/manifest.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

using nlohmann::json;
using paddock::Digest;
using paddock::ErrorCode;
using paddock::Manifest;
using paddock::ManifestKind;
using paddock::parse_manifest;
using paddock::served_media_type;

namespace {

const std::string oci_image = "application/vnd.oci.image.manifest.v1+json";
const std::string oci_index = "application/vnd.oci.image.index.v1+json";
const std::string docker_image = "application/vnd.docker.distribution.manifest.v2+json";
const std::string docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";
const std::string schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
const std::string layer_type = "application/vnd.oci.image.layer.v1.tar+gzip";

json descriptor(const std::string& content, const std::string& type = layer_type) {
  return {{"mediaType", type}, {"digest", Digest::of(content).to_string()}, {"size", content.size()}};
}

json image() {
  return {{"schemaVersion", 2},
          {"mediaType", oci_image},
          {"config", descriptor("config!", "application/vnd.oci.image.config.v1+json")},
          {"layers", {descriptor("one"), descriptor("three")}}};
}

json index() {
  json entry = descriptor("amd64", oci_image);
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  json arm = descriptor("arm64!", oci_image);
  arm["platform"] = {{"os", "linux"}, {"architecture", "arm64"}, {"variant", "v8"}};
  return {{"schemaVersion", 2}, {"mediaType", oci_index}, {"manifests", {entry, arm}}};
}

std::string refusal(const std::string& content, const std::string& type) {
  const auto manifest = parse_manifest(content, type);
  if (manifest) FAIL("accepted: " + content.substr(0, 200));
  CHECK(manifest.error().code == ErrorCode::protocol);
  CHECK(manifest.error().blame == paddock::Blame::upstream);
  CHECK(manifest.error().context.size() < 500);
  return manifest.error().context;
}

std::string with(json document, const std::string& pointer, const json& value) {
  document[json::json_pointer(pointer)] = value;
  return document.dump();
}

std::string without(json document, const std::string& parent, const std::string& key) {
  (parent.empty() ? document : document[json::json_pointer(parent)]).erase(key);
  return document.dump();
}

}  // namespace

TEST_CASE("an image names its config and layers") {
  const auto manifest = parse_manifest(image().dump(), oci_image);
  REQUIRE(manifest);
  CHECK(manifest->kind == ManifestKind::image);
  CHECK(manifest->media_type == oci_image);
  REQUIRE(manifest->config);
  CHECK(manifest->config->digest == Digest::of("config!"));
  REQUIRE(manifest->layers.size() == 2);
  CHECK(manifest->layers[0].size == 3);
  CHECK(manifest->layers[0].media_type == layer_type);
  CHECK_FALSE(manifest->subject);
  CHECK(manifest->children() == std::vector<Digest>{Digest::of("config!"), Digest::of("one"), Digest::of("three")});
  CHECK(manifest->total_size() == 7 + 3 + 5);
}

TEST_CASE("an index names its manifests with their platforms") {
  const auto manifest = parse_manifest(index().dump(), oci_index);
  REQUIRE(manifest);
  CHECK(manifest->kind == ManifestKind::index);
  REQUIRE(manifest->manifests.size() == 2);
  CHECK(manifest->manifests[0].os == "linux");
  CHECK(manifest->manifests[0].architecture == "amd64");
  CHECK(manifest->manifests[1].variant == "v8");
  CHECK(manifest->children() == std::vector<Digest>{Digest::of("amd64"), Digest::of("arm64!")});
  CHECK(manifest->total_size() == 0);
}

TEST_CASE("Docker's image and list are read as their OCI kin") {
  json docker = image();
  docker["mediaType"] = docker_image;
  const auto single = parse_manifest(docker.dump(), docker_image);
  REQUIRE(single);
  CHECK(single->kind == ManifestKind::image);
  CHECK(single->media_type == docker_image);
  json list = index();
  list["mediaType"] = docker_list;
  REQUIRE(parse_manifest(list.dump(), docker_list));
}

TEST_CASE("the media type is the body's own, else the Content-Type, else told by the shape") {
  CHECK(parse_manifest(image().dump(), oci_image + "; charset=utf-8")->media_type == oci_image);
  CHECK(parse_manifest(without(image(), "", "mediaType"), oci_image + "; charset=utf-8")->media_type == oci_image);
  CHECK(parse_manifest(without(image(), "", "mediaType"), docker_image)->media_type == docker_image);
  CHECK(parse_manifest(with(image(), "/mediaType", docker_image), oci_image)->media_type == docker_image);
  const auto* const generic = GENERATE("", "application/json", "application/octet-stream", "text/plain; charset=utf-8");
  CAPTURE(generic);
  CHECK(parse_manifest(with(image(), "/mediaType", docker_image), generic)->media_type == docker_image);
  CHECK(parse_manifest(without(image(), "", "mediaType"), generic)->kind == ManifestKind::image);
  CHECK(parse_manifest(without(index(), "", "mediaType"), generic)->media_type == oci_index);
}

TEST_CASE("a body that names another kind than the Content-Type is refused") {
  CHECK(refusal(image().dump(), oci_index).find("mediaType is '" + oci_image) != std::string::npos);
  CHECK(refusal(index().dump(), docker_image).find("Content-Type is '" + docker_image) != std::string::npos);
  refusal(with(image(), "/mediaType", "application/vnd.example+json"), oci_image);
  refusal(image().dump(), "application/vnd.example+json");
  refusal(with(image(), "/mediaType", 5), oci_image);
}

TEST_CASE("a document that is an image to one reader and an index to another is refused") {
  CHECK(refusal(with(image(), "/manifests", index()["manifests"]), oci_image).find("manifests") != std::string::npos);
  CHECK(refusal(with(index(), "/layers", image()["layers"]), oci_index).find("layers") != std::string::npos);
  CHECK(refusal(with(index(), "/config", image()["config"]), oci_index).find("config") != std::string::npos);
  CHECK(parse_manifest(with(image(), "/manifests", json::array()), oci_image));
  CHECK(parse_manifest(with(index(), "/layers", nullptr), oci_index));
}

TEST_CASE("an HTML page is refused whatever it calls itself") {
  const std::string page = "<!DOCTYPE html><html><body>Sign in</body></html>";
  CHECK(refusal(page, "text/html; charset=utf-8").find("HTML") != std::string::npos);
  CHECK(refusal(page, oci_image).find("not JSON") != std::string::npos);
  CHECK(refusal(page, "").find("not JSON") != std::string::npos);
}

TEST_CASE("JSON that is no object or no manifest is refused") {
  const auto* const text = GENERATE("[]", "1", "null", "\"x\"", "true");
  CAPTURE(text);
  CHECK(refusal(text, oci_image) == "manifest: not a JSON object");
  CHECK(refusal(R"({"errors":[{"code":"UNKNOWN"}]})", "application/json").find("what kind") != std::string::npos);
}

TEST_CASE("a kind not known is passed through without children") {
  const auto manifest =
      parse_manifest(R"({"blobs":[{"digest":"x"}]})", "application/vnd.oci.artifact.manifest.v1+json");
  REQUIRE(manifest);
  CHECK(manifest->kind == ManifestKind::other);
  CHECK(manifest->media_type == "application/vnd.oci.artifact.manifest.v1+json");
  CHECK(manifest->children().empty());
  CHECK(parse_manifest(R"({"mediaType":"application/vnd.x+json"})", "application/json")->kind == ManifestKind::other);
}

TEST_CASE("an index is not refused for a child of an algorithm not known") {
  json body = index();
  json unknown = descriptor("other", oci_image);
  for (const auto* digest : {"blake3:0123", "sha256+b64u:LCa0", "sha384:ab"}) {
    unknown["digest"] = digest;
    body["manifests"].insert(body["manifests"].begin(), unknown);
  }
  const auto manifest = parse_manifest(body.dump(), oci_index);
  REQUIRE(manifest);
  CHECK(manifest->children() == std::vector<Digest>{Digest::of("amd64"), Digest::of("arm64!")});
  // What has no digest's form is still an error, and is named by its place in the document.
  for (const auto* digest : {"sha256:0123", "blake3", "blake3:", ":0123", "BLAKE3:0123", "bla ke:01"}) {
    CAPTURE(digest);
    body["manifests"][2]["digest"] = digest;
    CHECK(refusal(body.dump(), oci_index).contains("manifests[2].digest"));
  }
}

TEST_CASE("an image of which a part cannot be verified is refused") {
  CHECK(refusal(with(image(), "/layers/1/digest", "blake3:0123"), oci_image).contains("layers[1].digest"));
  CHECK(refusal(with(image(), "/config/digest", "blake3:0123"), oci_image).contains("config.digest"));
}

TEST_CASE("stored content is served as a type of manifests, whatever its record says") {
  const auto untyped = [](json body) {
    body.erase("mediaType");
    return body.dump();
  };
  CHECK(served_media_type(image().dump(), docker_image) == docker_image);  // a type of manifests is believed
  for (const auto* recorded : {"text/html", "", "image/svg+xml", "text/html\r\nX: y"}) {
    CAPTURE(recorded);
    CHECK(served_media_type(with(image(), "/mediaType", docker_image), recorded) == docker_image);
    CHECK(served_media_type(with(image(), "/mediaType", "application/vnd.x+json"), recorded) ==
          "application/vnd.x+json");
    CHECK(served_media_type(untyped(image()), recorded) == oci_image);
    CHECK(served_media_type(untyped(index()), recorded) == oci_index);
    CHECK(served_media_type(with(image(), "/mediaType", "a/b\r\nX: y"), recorded) == oci_image);
    for (const auto* content : {"{}", "[]", "<html>", ""}) CHECK(served_media_type(content, recorded) == oci_image);
  }
}

TEST_CASE("a media type that could break a header is refused") {
  const auto* const type = GENERATE("application/x\r\nSet-Cookie: a=b", "application/x y", "nonsense", "a/\xc3\xa4");
  CAPTURE(type);
  CHECK(refusal(with(json::object(), "/mediaType", type), "").find("malformed media type") != std::string::npos);
  refusal(with(json::object(), "/mediaType", "a/" + std::string(300, 'x')), "");
}

TEST_CASE("a wrong or missing field is named") {
  struct Case {
    std::string pointer;
    json value;
    std::string named;
  };
  const std::string digest = "/layers/1/digest";
  const auto c = GENERATE_REF(values<Case>({
      {"/schemaVersion", 1, "schemaVersion"},
      {"/schemaVersion", "2", "schemaVersion"},
      {"/schemaVersion", 2.5, "schemaVersion"},
      {"/config", json::array(), "config is not an object"},
      {"/config", nullptr, "config is missing"},
      {"/config/digest", "x", "config.digest"},
      {"/layers", json::object(), "layers is not an array"},
      {"/layers", "x", "layers is not an array"},
      {"/layers/0", 1, "layers[0] is not an object"},
      {digest, "sha256:00", "layers[1].digest"},
      {digest, "md5:00", "layers[1].digest"},
      {digest, "../../etc/passwd", "layers[1].digest"},
      {digest, 5, "layers[1].digest is not a string"},
      {digest, nullptr, "layers[1].digest is missing"},
      {digest, "", "layers[1].digest is missing"},
      {"/layers/0/size", -1, "layers[0].size"},
      {"/layers/0/size", 1.5, "layers[0].size"},
      {"/layers/0/size", 1e30, "layers[0].size"},
      {"/layers/0/size", 18446744073709551615ULL, "layers[0].size is beyond reason"},
      {"/layers/0/size", (1ULL << 48U) + 1, "layers[0].size is beyond reason"},
      {"/layers/0/size", "5", "layers[0].size"},
      {"/layers/0/size", nullptr, "layers[0].size is missing"},
      {"/layers/0/mediaType", 5, "layers[0].mediaType is not a string"},
      {"/layers/0/mediaType", nullptr, "layers[0].mediaType is missing"},
      {"/layers/0/urls", "x", "layers[0].urls"},
      {"/layers/0/platform", "linux", "layers[0].platform"},
      {"/layers/0/artifactType", 1, "layers[0].artifactType"},
      {"/subject", 5, "subject is not an object"},
      {"/subject", json::object(), "subject.digest is missing"},
      {"/artifactType", 5, "artifactType is not a string"},
  }));
  CAPTURE(c.pointer, c.value.dump());
  CHECK(refusal(with(image(), c.pointer, c.value), oci_image).find(c.named) != std::string::npos);
}

TEST_CASE("missing members are named") {
  CHECK(refusal(without(image(), "", "config"), oci_image).find("config is missing") != std::string::npos);
  CHECK(refusal(without(image(), "", "layers"), oci_image).find("layers is missing") != std::string::npos);
  CHECK(refusal(without(index(), "", "manifests"), oci_index).find("manifests is missing") != std::string::npos);
  CHECK(refusal(without(index(), "/manifests/1", "size"), oci_index).find("manifests[1].size") != std::string::npos);
  CHECK(refusal(with(index(), "/manifests/0/platform/os", 5), oci_index).find("manifests[0].platform.os") !=
        std::string::npos);
}

TEST_CASE("a missing schemaVersion and nil lists, which exist in the wild, are accepted") {
  CHECK(parse_manifest(without(image(), "", "schemaVersion"), oci_image));
  CHECK(parse_manifest(with(image(), "/layers", nullptr), oci_image)->layers.empty());
  CHECK(parse_manifest(with(index(), "/manifests", nullptr), oci_index)->manifests.empty());
}

TEST_CASE("a key given twice is refused") {
  const std::string text = R"({"mediaType":")" + oci_image + R"(","mediaType":")" + oci_index + R"("})";
  CHECK(refusal(text, "").find("'mediaType' occurs twice") != std::string::npos);
}

TEST_CASE("foreign layers are not ours to serve") {
  json document = image();
  document["layers"][0]["urls"] = {"https://elsewhere.example/x"};
  document["layers"].push_back(descriptor("foreign", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"));
  document["layers"].push_back(descriptor("kept", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"));
  document["layers"].push_back(descriptor("own"));
  document["layers"][4]["urls"] = json::array();
  const auto manifest = parse_manifest(document.dump(), oci_image);
  REQUIRE(manifest);
  CHECK(manifest->layers[0].foreign);
  CHECK_FALSE(manifest->layers[1].foreign);
  CHECK(manifest->layers[2].foreign);
  CHECK(manifest->layers[3].foreign);
  CHECK_FALSE(manifest->layers[4].foreign);
  CHECK(manifest->children() == std::vector<Digest>{Digest::of("config!"), Digest::of("three"), Digest::of("own")});
  CHECK(manifest->total_size() == 7 + 5 + 3);
}

TEST_CASE("a layer named twice is one child") {
  json document = image();
  document["layers"] = {descriptor("same"), descriptor("same")};
  const auto manifest = parse_manifest(document.dump(), oci_image);
  REQUIRE(manifest);
  CHECK(manifest->layers.size() == 2);
  CHECK(manifest->children().size() == 2);
}

TEST_CASE("subject and artifact type are read, and a subject is no child") {
  json document = image();
  document["subject"] = descriptor("the image", oci_image);
  document["artifactType"] = "application/vnd.example.sbom";
  const auto manifest = parse_manifest(document.dump(), oci_image);
  REQUIRE(manifest);
  CHECK(manifest->subject == Digest::of("the image"));
  CHECK(manifest->artifact_type == "application/vnd.example.sbom");
  CHECK(manifest->children().size() == 3);
}

TEST_CASE("sha512 digests are accepted") {
  const std::string digest = Digest::of("x", Digest::Algorithm::sha512).to_string();
  CHECK(parse_manifest(with(image(), "/layers/0/digest", digest), oci_image)->layers[0].digest.to_string() == digest);
}

TEST_CASE("schema 1 lists its layers without sizes") {
  json document{{"schemaVersion", 1},
                {"name", "a"},
                {"fsLayers", {{{"blobSum", Digest::of("b").to_string()}}, {{"blobSum", Digest::of("b").to_string()}}}},
                {"history", json::array()}};
  for (const std::string& type : {schema1, std::string("application/json")}) {
    const auto manifest = parse_manifest(document.dump(), type);
    REQUIRE(manifest);
    CHECK(manifest->kind == ManifestKind::schema1);
    CHECK(manifest->layers.size() == 2);
    CHECK(manifest->layers[0].size == 0);
    CHECK(manifest->children() == std::vector<Digest>{Digest::of("b")});
  }
  CHECK(refusal(with(document, "/fsLayers/1", 5), schema1).find("fsLayers[1]") != std::string::npos);
  CHECK(refusal(with(document, "/fsLayers/0/blobSum", "x"), schema1).find("fsLayers[0].blobSum") != std::string::npos);
  CHECK(refusal(without(document, "", "fsLayers"), schema1).find("fsLayers is missing") != std::string::npos);
  CHECK(refusal(with(document, "/schemaVersion", 2), schema1).find("schemaVersion") != std::string::npos);
}

TEST_CASE("ten thousand entries are read and one more is refused") {
  std::string entries = descriptor("e").dump();
  std::string many = entries;
  for (int i = 1; i < 10'000; ++i) many += "," + entries;
  const auto document = [](const std::string& list) { return R"({"schemaVersion":2,"manifests":[)" + list + "]}"; };
  const auto manifest = parse_manifest(document(many), oci_index);
  REQUIRE(manifest);
  CHECK(manifest->manifests.size() == 10'000);
  CHECK(refusal(document(many + "," + entries), oci_index).find("manifests has more than 10000") != std::string::npos);
}

TEST_CASE("the sum of the largest sizes does not overflow") {
  json document = image();
  for (auto& layer : document["layers"]) layer["size"] = 1ULL << 48U;
  CHECK(parse_manifest(document.dump(), oci_image)->total_size() == (2ULL << 48U) + 7);
}

TEST_CASE("deep nesting is refused before anything is built") {
  refusal(std::string(4U << 20U, '['), oci_image);
  refusal(R"({"annotations":)" + std::string(4U << 20U, '['), oci_image);
}

TEST_CASE("no mutation of a manifest does more than fail") {
  std::mt19937 random(20240607);
  const std::string original = GENERATE(image().dump(), index().dump());
  for (int round = 0; round < 3000; ++round) {
    std::string text = original;
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 20);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, text.substr(random() % text.size(), random() % 30));
      if (text.empty()) text = "x";
    }
    const auto manifest = parse_manifest(text, round % 2 == 0 ? oci_image : "");
    if (manifest) {
      CHECK(manifest->children().size() <= 10);
    } else {
      CHECK(manifest.error().code == ErrorCode::protocol);
    }
  }
}
