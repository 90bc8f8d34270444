#include "proxy/warm/ci/kubernetes.h"

#include <optional>
#include <string>
#include <utility>

#include "proxy/warm/ci/helm.h"
#include "proxy/warm/ci/parameters.h"

namespace paddock::ci {
namespace {

using std::string_view;

// Where in the object a node stands.
struct Level {
  const TektonParameters* tekton = nullptr;
  const ArgoParameters* argo = nullptr;
  std::string of_template;  // Argo's
  std::string object;       // "Deployment web"
  std::string name;         // of the container or step
};

// Schemas, and whatever an application keeps: an "image" there may as well be a picture.
bool holds_no_image(string_view kind) {
  return kind == "CustomResourceDefinition" || kind == "ConfigMap" || kind == "Secret";
}

class Scanner {
 public:
  Scanner(const Source& source, Workspace& files, Format format)
      : collector_(files.collector()), source_(source), format_(format) {}

  // As deep as the document, which YamlFile limits.
  void walk(const YamlNode& node, Level level) {
    if (node.is_list()) {
      for (const YamlNode* item : node.items) walk(*item, level);
      return;
    }
    if (!node.is_map()) return;
    enter_object(node, level);
    if (holds_no_image(node.scalar("kind"))) return;
    if (node.scalar("kind") == "Kustomization") return replacements(node, level);
    std::optional<TektonParameters> tekton;
    if (node.find("params") != nullptr || node.find("matrix") != nullptr)
      level.tekton = &tekton.emplace(level.tekton, node, budget_);
    std::optional<ArgoParameters> argo;
    if (const YamlNode* templates = node.find("templates"); templates != nullptr && templates->is_list()) {
      level.argo = &argo.emplace(node, budget_);
    }
    for (const auto& [key, value] : node.entries) entry(key->text, *value, level);
  }

 private:
  static void enter_object(const YamlNode& node, Level& level) {
    const string_view kind = node.scalar("kind");
    if (!kind.empty() && !node.scalar("apiVersion").empty()) {
      const YamlNode* metadata = node.find("metadata");
      string_view name = metadata == nullptr ? string_view() : metadata->scalar("name");
      if (name.empty() && metadata != nullptr) name = metadata->scalar("generateName");
      level.object = std::string(kind) + (name.empty() ? "" : " " + std::string(name));
      level.name.clear();
    } else if (const string_view name = node.scalar("name"); !name.empty()) {
      level.name = name;
    }
  }

  void entry(const std::string& key, const YamlNode& value, const Level& level) {
    if (key == "image" && value.is_scalar()) {
      collector_.images(place(value, level), value.text, expand(value.text, level));
    } else if (key == "image" && value.find("reference") != nullptr) {  // a volume made of an image
      const YamlNode& reference = *value.find("reference");
      collector_.images(place(reference, level), reference.text, expand(reference.text, level));
    } else if (key == "values" && level.object.starts_with("HelmRelease")) {
      scan_helm_values(source_, value, collector_);
    } else if (key == "templates" && value.is_list()) {
      for (const YamlNode* one : value.items) {
        Level inner = level;
        inner.of_template = one->scalar("name");
        walk(*one, std::move(inner));
      }
    } else {
      walk(value, level);
    }
  }

  // kustomize: images: [{name, newName, newTag, digest}]
  void replacements(const YamlNode& node, const Level& level) {
    const YamlNode* images = node.find("images");
    if (images == nullptr) return;
    for (const YamlNode* item : images->items) {
      const YamlNode* name = item->find("newName");
      if (name == nullptr) name = item->find("name");
      const string_view tag = item->scalar("newTag");
      const string_view digest = item->scalar("digest");
      if (name == nullptr || !name->is_scalar() || (tag.empty() && digest.empty())) continue;
      std::string text = name->text;
      if (!tag.empty()) text.append(":").append(tag);
      if (!digest.empty()) text.append("@").append(digest);
      collector_.images(place(*name, level), text, expand(text, level));
    }
  }

  [[nodiscard]] Place place(const YamlNode& node, const Level& level) const {
    std::string where = level.object;
    if (!level.name.empty()) where += (where.empty() ? "" : ", ") + level.name;
    return {source_.name, node.line, std::move(where), format_};
  }

  // Argo's, then Tekton's marks, then what `envsubst` would fill in.
  [[nodiscard]] Readings expand(string_view text, const Level& level) {
    Readings readings = expand_marked(text, "{{", "}}", [&](string_view inner) -> Readings {
      if (level.argo != nullptr) return level.argo->evaluate(level.of_template, inner);
      return {Reading::not_known(UnresolvedKind::expression,
                                 "{{" + std::string(inner) + "}} is filled in by something else")};
    });
    readings = each(std::move(readings), [&](string_view part) {
      static const YamlNode nothing;
      const TektonParameters none(nullptr, nothing, budget_);
      const TektonParameters& parameters = level.tekton == nullptr ? none : *level.tekton;
      return expand_marked(part, "$(", ")", [&](string_view inner) { return parameters.evaluate(inner); });
    });
    return each(std::move(readings), [](string_view part) {
      return expand_variables(part, Dialect::gitlab, [](string_view) { return std::nullopt; });
    });
  }

  static Readings each(Readings readings, const Evaluate& change) {
    Readings out;
    for (Reading& reading : readings) {
      if (reading.unknown) {
        out.push_back(std::move(reading));
        continue;
      }
      for (Reading& changed : change(reading.text)) {
        if (out.size() < readings_limit) out.push_back(std::move(changed));
      }
    }
    return out;
  }

  Collector& collector_;
  const Source& source_;
  Format format_;
  ExpansionBudget budget_;
};

}  // namespace

void scan_kubernetes(const Source& source, const YamlNode& document, Workspace& files, Format format) {
  Scanner(source, files, format).walk(document, {});
}

}  // namespace paddock::ci
