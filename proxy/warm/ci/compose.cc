#include "proxy/warm/ci/compose.h"

#include <system_error>
#include <utility>

#include "proxy/warm/ci/dockerfile.h"
#include "proxy/warm/ci/env_file.h"

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;
using std::string_view;

class Scanner {
 public:
  Scanner(const Source& source, Workspace& files) : source_(source), files_(files), folder_(source.path.parent_path()) {
    std::error_code ignored;
    if (!fs::exists(folder_ / ".env", ignored)) return;
    if (const Source* env = files.load(folder_ / ".env", source.root)) variables_ = read_env_file(env->text);
  }

  void run(const YamlNode& document) {
    const YamlNode* services = document.find("services");
    if (services == nullptr) return;
    for (const auto& [name, service] : services->entries) scan_service(name->text, *service);
  }

 private:
  void scan_service(const std::string& name, const YamlNode& service) {
    const YamlNode* build = service.find("build");
    if (const YamlNode* image = service.find("image"); image != nullptr && image->is_scalar()) {
      Readings readings = expand(image->text);
      if (build != nullptr) {  // the name that the build's result is given
        readings = {Reading::not_known(UnresolvedKind::built_here, "built by this service, not pulled")};
      }
      files_.collector().images(place(*image, name), image->text, readings);
    }
    if (build != nullptr) scan_build(name, *build);
  }

  void scan_build(const std::string& name, const YamlNode& build) {
    const BuildArguments arguments = read_arguments(build.find("args"));
    const std::string whose = "service " + name;
    if (const YamlNode* contexts = build.find("additional_contexts")) {
      for (const auto& [key, value] : contexts->entries) {
        if (!value->text.starts_with("docker-image://")) continue;
        files_.collector().images(place(*value, name), value->text, expand(string_view(value->text).substr(15)));
      }
    }
    if (const YamlNode* inline_text = build.find("dockerfile_inline")) {
      scan_dockerfile(inline_text->text, source_, inline_text->line + 1, arguments, whose, files_.collector());
      return;
    }
    const auto context = known(build.is_scalar() ? build.text : std::string(build.scalar("context")));
    const auto file = known(std::string(build.scalar("dockerfile")));
    if (!context || !file || context->contains("://") || context->starts_with("git@")) return;
    const fs::path path = folder_ / *context / (file->empty() ? "Dockerfile" : *file);
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return;  // made by another step, perhaps
    const Source* dockerfile = files_.load(path.lexically_normal(), source_.root);
    if (dockerfile == nullptr) return;
    scan_dockerfile(dockerfile->text, *dockerfile, 1, arguments, whose, files_.collector());
  }

  // A mapping, or a list of NAME=value; a bare NAME comes from the caller's environment.
  BuildArguments read_arguments(const YamlNode* node) {
    BuildArguments arguments;
    if (node == nullptr) return arguments;
    for (const auto& [key, value] : node->entries) {
      if (value->is_scalar()) arguments[key->text] = expand(value->text);
    }
    for (const YamlNode* item : node->items) {
      const std::size_t equals = item->text.find('=');
      if (equals != std::string::npos) arguments[item->text.substr(0, equals)] = expand(item->text.substr(equals + 1));
    }
    return arguments;
  }

  [[nodiscard]] Readings expand(string_view text) const {
    return expand_variables(text, Dialect::compose, [this](string_view name) -> std::optional<Readings> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    });
  }

  [[nodiscard]] std::optional<std::string> known(const std::string& text) const {
    Readings readings = expand(text);
    if (readings.size() != 1 || readings.front().unknown) return std::nullopt;
    return std::move(readings.front().text);
  }

  [[nodiscard]] Place place(const YamlNode& node, const std::string& service) const {
    return {source_.name, node.line, "service " + service, Format::compose};
  }

  const Source& source_;
  Workspace& files_;
  fs::path folder_;
  Variables variables_;
};

}  // namespace

void scan_compose(const Source& source, const YamlNode& document, Workspace& files) {
  Scanner(source, files).run(document);
}

}  // namespace paddock::ci
