#include "proxy/warm/ci/helm.h"

#include <string>
#include <string_view>

#include "proxy/oci/ascii.h"

namespace paddock::ci {
namespace {

using std::string_view;

bool is_about_image(string_view key) {
  return key.size() >= 5 && same_without_case(key.substr(key.size() - 5), "image");
}

class Scanner {
 public:
  Scanner(const Source& source, const YamlNode& document, Collector& collector)
      : source_(source), collector_(collector) {
    if (const YamlNode* registry = document.find_path("global.imageRegistry")) registry_ = registry->text;
  }

  // `path`: the keys that lead here. As deep as the document, which YamlFile limits.
  void walk(const YamlNode& node, const std::string& path, string_view key) {
    for (const YamlNode* item : node.items) walk(*item, path, key);
    if (is_parts(node, key)) {
      parts(node, path);
      return;
    }
    for (const auto& [name, value] : node.entries) {
      if (name->text == "image" && value->is_scalar()) {
        whole(node, *value, path);
      } else {
        walk(*value, path.empty() ? name->text : path + "." + name->text, name->text);
      }
    }
  }

 private:
  static bool is_parts(const YamlNode& node, string_view key) {
    const YamlNode* repository = node.find("repository");
    if (repository == nullptr)
      return is_about_image(key) && !node.scalar("name").empty() && node.find("tag") != nullptr;
    if (!repository->is_scalar() || repository->text.contains("://")) return false;
    return is_about_image(key) || node.find("pullPolicy") != nullptr || node.find("registry") != nullptr ||
           node.find("digest") != nullptr;
  }

  void parts(const YamlNode& node, const std::string& path) {
    const YamlNode* repository = node.find("repository");
    if (repository == nullptr) repository = node.find("name");
    if (repository->text.empty()) return;
    const string_view own = node.scalar("registry");
    const string_view registry = own.empty() || registry_.empty() ? own : string_view(registry_);
    std::string text = registry.empty() ? repository->text : std::string(registry) + "/" + repository->text;
    with_tag(std::move(text), node.scalar("tag"), node.scalar("digest"), *repository, path);
  }

  // "image: nginx", perhaps with "imageTag: x" beside it.
  void whole(const YamlNode& node, const YamlNode& image, const std::string& path) {
    string_view tag = node.scalar("imageTag");
    if (tag.empty()) tag = node.scalar("tag");
    if (!image.text.empty()) with_tag(image.text, tag, "", image, path.empty() ? "image" : path + ".image");
  }

  void with_tag(std::string text, string_view tag, string_view digest, const YamlNode& node, const std::string& path) {
    const Place place{source_.name, node.line, path, Format::helm};
    if (!tag.empty()) text.append(":").append(tag);
    if (!digest.empty()) text.append("@").append(digest);
    if (text.contains("{{")) {
      return collector_.unresolved(place, text, {UnresolvedKind::expression, "filled in by the chart's templates"});
    }
    const bool tagged = text.rfind(':') != std::string::npos && !text.substr(text.rfind(':')).contains('/');
    if (!tagged && digest.empty()) {
      return collector_.unresolved(
          place, text, {UnresolvedKind::no_tag, "no tag in the values; the chart's templates say which is used"});
    }
    collector_.images(place, text, {{text}});
  }

  const Source& source_;
  Collector& collector_;
  std::string registry_;
};

}  // namespace

void scan_helm_values(const Source& source, const YamlNode& document, Collector& collector) {
  Scanner(source, document, collector).walk(document, "", "");
}

}  // namespace paddock::ci
