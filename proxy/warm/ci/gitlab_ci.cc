#include "proxy/warm/ci/gitlab_ci.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "proxy/warm/ci/gitlab_config.h"
#include "proxy/warm/ci/gitlab_variables.h"
#include "proxy/warm/ci/shell.h"

namespace paddock::ci {
namespace {

using std::string_view;

constexpr std::size_t script_limit = 16U << 20U;  // bytes of scripts looked at, all variants together
constexpr int images_limit = 200'000;             // looked at, all variants together

class Scanner {
 public:
  Scanner(std::vector<GitlabPart> parts, Workspace& files)
      : config_(std::move(parts), files.collector()), collector_(files.collector()), inputs_(config_.parts()) {}

  void run() {
    const auto jobs = config_.jobs();
    const auto is_hidden = [](const std::string& name) { return name.starts_with('.'); };
    for (const std::string& job : jobs) {
      if (!is_hidden(job)) run_job(job, config_.job_layers(job), true);
    }
    // What is left was used by nobody, and is still named.
    for (const std::string& job : jobs) {
      if (is_hidden(job)) run_job(job, config_.job_layers(job), false);
    }
    const GitlabVariables globals(config_, {}, inputs_, true);
    only_own_ = true;
    for (const string_view key : {"image", "services"}) {
      report_all(config_.lookup(config_.own_layers("default"), key), globals, "default");
      report_all(config_.top(key), globals, "default");
    }
  }

 private:
  void run_job(const std::string& name, const Layers& layers, bool inherits) {
    only_own_ = !inherits;
    const YamlNode* inherit = config_.lookup(layers, "inherit");
    const YamlNode* variables = inherit == nullptr ? nullptr : inherit->find("variables");
    GitlabVariables job(config_, layers, inputs_, variables == nullptr || variables->text != "false");
    if (job.too_many()) {
      collector_.unresolved({*layers.front()->file, layers.front()->line, "job " + name, Format::gitlab_ci}, name,
                            {UnresolvedKind::too_many, "more variants of the job than are looked at"});
    }
    const auto of_default = [&](string_view key) -> const YamlNode* {
      if (!inherits || !inherits_default(inherit, key)) return nullptr;
      const YamlNode* found = config_.lookup(config_.own_layers("default"), key);
      return found != nullptr ? found : config_.top(key);
    };
    const auto find = [&](string_view key) {
      const YamlNode* found = config_.lookup(layers, key);
      return found != nullptr ? found : of_default(key);
    };
    if (const YamlNode* trigger = config_.lookup(layers, "trigger")) return generated(*trigger, name);
    for (std::size_t variant = 0; variant < job.variants(); ++variant) {
      job.choose(variant);
      const YamlNode* image = named_image(layers);
      report_all(image != nullptr ? image : of_default("image"), job, name);
      report_all(find("services"), job, name);
      run_scripts({find("before_script"), find("script"), find("after_script")}, job, name);
    }
    for (const YamlNode* node : std::exchange(in_use_, {})) used_.insert(node);
  }

  // Mappings of a job and of what it extends are merged: one without a name leaves it to the next.
  [[nodiscard]] const YamlNode* named_image(const Layers& layers) const {
    const YamlNode* nameless = nullptr;
    for (const YamlNode* layer : layers) {
      const YamlNode* image = config_.follow(layer->find("image"));
      if (image == nullptr) continue;
      if (!image->is_map() || image->find("name") != nullptr) return image;
      nameless = image;
    }
    return nameless;
  }

  static bool inherits_default(const YamlNode* inherit, string_view key) {
    const YamlNode* which = inherit == nullptr ? nullptr : inherit->find("default");
    if (which == nullptr) return true;
    if (which->is_scalar()) return which->text != "false";
    return contains(which->items, key, &YamlNode::text);
  }

  // An image, or a list of services, each a name or a mapping with one.
  void report_all(const YamlNode* node, const GitlabVariables& variables, const std::string& job) {
    for (const YamlNode* item : config_.flatten(node)) {
      const YamlNode* image = item->is_map() ? config_.follow(item->find("name")) : item;
      if (image == nullptr || !image->is_scalar() || !take(*image)) continue;
      if (++images_ > images_limit) {
        collector_.problem(*image->file, image->line,
                           "more than 200000 images, variants counted; the rest is left out");
        return;
      }
      collector_.images(place(*image, job), image->text, variables.expand(image->text));
    }
  }

  // Whether it is to be looked at: what hidden jobs hold only when no other job came to it.
  bool take(const YamlNode& node) {
    if (only_own_ && used_.contains(&node)) return false;
    in_use_.insert(&node);
    return true;
  }

  void run_scripts(std::initializer_list<const YamlNode*> scripts, const GitlabVariables& variables,
                   const std::string& job) {
    std::optional<ShellScanner> shell;
    std::string file;
    for (const YamlNode* script : scripts) {
      for (const YamlNode* text : config_.flatten(script)) {
        if (!text->is_scalar() || !take(*text)) continue;
        scripts_ += text->text.size();
        if (scripts_ > script_limit) {
          collector_.problem(*text->file, text->line,
                             "more than 16 MiB of scripts, variants counted; the rest is left out");
          return;
        }
        if (!shell || file != *text->file) {
          if (shell) shell->finish();
          file = *text->file;
          shell.emplace(collector_, place(*text, job), [&](string_view name) { return variables.find(name); });
        }
        shell->scan(text->text, text->literal ? text->line + 1 : text->line, !text->literal);
      }
    }
    if (shell) shell->finish();
  }

  // A child pipeline that another job writes.
  void generated(const YamlNode& trigger, const std::string& job) {
    for (const YamlNode* include : config_.flatten(trigger.find("include"))) {
      const YamlNode* artifact = include->find("artifact");
      if (artifact == nullptr) continue;
      collector_.unresolved(
          place(*artifact, job), artifact->text,
          {UnresolvedKind::generated, "a pipeline that job " + std::string(include->scalar("job")) + " writes"});
    }
  }

  static Place place(const YamlNode& node, const std::string& job) {
    return {*node.file, node.line, job == "default" ? job : "job " + job, Format::gitlab_ci};
  }

  GitlabConfig config_;
  Collector& collector_;
  GitlabInputs inputs_;
  std::set<const YamlNode*> used_;
  std::set<const YamlNode*> in_use_;  // by the job that is looked at
  bool only_own_ = false;
  std::size_t scripts_ = 0;
  int images_ = 0;
};

}  // namespace

void scan_gitlab(std::vector<GitlabPart> parts, Workspace& files) { Scanner(std::move(parts), files).run(); }

}  // namespace paddock::ci
