#include "proxy/warm/ci/github_actions.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "proxy/warm/ci/env_file.h"
#include "proxy/warm/ci/github_expression.h"
#include "proxy/warm/ci/github_matrix.h"
#include "proxy/warm/ci/shell.h"

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;
using std::string_view;

constexpr int call_depth_limit = 4;  // workflows that call workflows
constexpr int calls_limit = 256;     // of one file, all levels together
constexpr int nesting_limit = 8;     // variables whose values are expressions
constexpr int evaluations_limit = 200'000;
constexpr int images_limit = 200'000;             // looked at, all combinations together
constexpr std::size_t script_limit = 16U << 20U;  // bytes of scripts looked at, all combinations together

struct Budget {
  int calls = 0;
  int evaluations = 0;
  int images = 0;
  std::size_t script = 0;
};

// NAME of the lines that write NAME=... or NAME<<EOF to GITHUB_ENV.
void add_written(string_view script, std::set<std::string, std::less<>>& names) {
  if (!script.contains("GITHUB_ENV")) return;
  while (!script.empty()) {
    const string_view line = script.substr(0, script.find('\n'));
    script.remove_prefix(std::min(line.size() + 1, script.size()));
    for (std::size_t i = 0; i < line.size(); ++i) {
      std::size_t end = i;
      while (end < line.size() && is_name(line.substr(i, end - i + 1))) ++end;
      if (end > i && end < line.size() && (line[end] == '=' || line.substr(end).starts_with("<<"))) {
        names.emplace(line.substr(i, end - i));
      }
      i = std::max(i, end);
    }
  }
}

// One way to run a workflow or action: with its defaults, or as another workflow calls it.
class Run {
 public:
  Run(const Source& source, const YamlNode& document, Workspace& files, Budget& budget)
      : source_(source), document_(document), files_(files), collector_(files.collector()), budget_(budget) {
    read_inputs(document.find("inputs"));  // an action's
    for (const string_view event : {"on.workflow_dispatch.inputs", "on.workflow_call.inputs"}) {
      read_inputs(document.find_path(event));
    }
  }

  void called(const Variables& given, std::string by, int depth) {
    for (const auto& [name, readings] : given) inputs_[name] = readings;
    by_ = std::move(by);
    depth_ = depth;
    is_called_ = true;
  }

  void run() {
    if (const YamlNode* jobs = document_.find("jobs")) {
      for (const auto& [name, body] : jobs->entries) run_job(name->text, *body);
    }
    const YamlNode* runs = document_.find("runs");
    if (runs == nullptr) return;
    job_ = &empty_;
    where_ = "action";
    if (const YamlNode* image = runs->find("image"); image != nullptr && image->text.starts_with("docker://")) {
      report(*image, "");
    }
    run_steps(runs->find("steps"));
  }

 private:
  void read_inputs(const YamlNode* inputs) {
    if (inputs == nullptr) return;
    for (const auto& [name, input] : inputs->entries) {
      if (const YamlNode* value = input->find("default"); value != nullptr) inputs_[name->text] = {{value->text}};
    }
  }

  void run_job(const std::string& name, const YamlNode& job) {
    job_ = &job;
    where_ = (by_.empty() ? "job " : by_ + " > job ") + name;
    written_.clear();
    if (const YamlNode* steps = job.find("steps")) {
      for (const YamlNode* step : steps->items) add_written(step->scalar("run"), written_);
    }
    const YamlNode* strategy = job.find("strategy");
    const Matrix matrix = read_matrix(strategy == nullptr ? nullptr : strategy->find("matrix"));
    matrix_expression_ = matrix.expression;
    if (matrix.too_many) {
      collector_.unresolved(place(job, ""), name, {UnresolvedKind::too_many, "more than 256 matrix combinations"});
    }
    for (const Combination& combination : matrix.combinations) {
      combination_ = &combination;
      run_combination(job);
    }
    combination_ = nullptr;
  }

  void run_combination(const YamlNode& job) {
    if (const YamlNode* container = job.find("container")) image_of(*container, "container");
    if (const YamlNode* services = job.find("services")) {
      for (const auto& [name, service] : services->entries) image_of(*service, "service " + name->text);
    }
    run_steps(job.find("steps"));
    if (const YamlNode* called = job.find("uses"); called != nullptr && called->text.starts_with("./")) {
      call(called->text.substr(2), job);
    }
  }

  void image_of(const YamlNode& node, const std::string& what) {
    const YamlNode* image = node.is_map() ? node.find("image") : &node;
    if (image != nullptr && image->is_scalar()) report(*image, what);
  }

  void run_steps(const YamlNode* steps) {
    if (steps == nullptr) return;
    in_steps_ = true;
    int number = 0;
    for (const YamlNode* step : steps->items) {
      ++number;
      const string_view label = step->scalar("name");
      const std::string what = label.empty() ? "step " + std::to_string(number) : "step " + std::string(label);
      const YamlNode* uses = step->find("uses");
      if (uses != nullptr && uses->text.starts_with("docker://")) report(*uses, what);
      if (const YamlNode* script = step->find("run")) run_script(*script, *step, what);
    }
    in_steps_ = false;
  }

  void run_script(const YamlNode& script, const YamlNode& step, const std::string& what) {
    if (!names_engine(script.text)) return;
    budget_.script += script.text.size();
    if (budget_.script > script_limit) {
      collector_.problem(source_.name, script.line,
                         "more than 16 MiB of scripts, matrices counted; the rest is left out");
      return;
    }
    step_ = &step;
    Variables expressions;
    std::string text;
    std::map<std::string, std::string> written_as;
    replace_expressions(script.text, text, expressions, written_as);
    ShellScanner shell(collector_, place(script, what), [&](string_view name) -> std::optional<Readings> {
      if (const auto found = expressions.find(name); found != expressions.end()) return found->second;
      Reading value = variable(name, 0);
      if (value.unknown && value.unknown->kind == UnresolvedKind::unset_variable) return std::nullopt;
      return Readings{std::move(value)};
    });
    shell.written_as = std::move(written_as);
    shell.scan(text, script.literal ? script.line + 1 : script.line, !script.literal);
    shell.finish();
    step_ = nullptr;
  }

  // An expression becomes a variable of the script, so that the shell's words stay whole.
  void replace_expressions(string_view script, std::string& text, Variables& expressions,
                           std::map<std::string, std::string>& written_as) {
    while (true) {
      const std::size_t begin = script.find("${{");
      const std::size_t end = begin == string_view::npos ? begin : script.find("}}", begin);
      text.append(script.substr(0, end == string_view::npos ? end : begin));
      if (end == string_view::npos) return;
      const std::string name = "paddock_expression_" + std::to_string(expressions.size());
      expressions[name] = {evaluate(trimmed(script.substr(begin + 3, end - begin - 3)), 0)};
      text.append("${").append(name).append("}");
      written_as["${" + name + "}"] = script.substr(begin, end + 2 - begin);
      script.remove_prefix(end + 2);
    }
  }

  void call(const std::string& path, const YamlNode& job) {
    if (depth_ >= call_depth_limit || ++budget_.calls > calls_limit) {
      collector_.problem(source_.name, job.line, "workflows call each other too often; take the circle out");
      return;
    }
    // "./" is the repository's root: .github/workflows is two folders below it.
    const fs::path root = source_.path.parent_path().parent_path().parent_path();
    const fs::path target = (root / path).lexically_normal();
    std::error_code ignored;
    if (path.contains("..") || !fs::exists(target, ignored)) {
      collector_.problem(source_.name, job.find("uses")->line, "calls " + path + ", which is not there");
      return;
    }
    const Source* other = files_.load(target, source_.root);
    if (other == nullptr) return;
    Variables given;
    if (const YamlNode* with = job.find("with")) {
      for (const auto& [name, value] : with->entries) given[name->text] = expand(value->text);
    }
    for (const YamlNode* document : files_.yaml(*other).documents()) {
      Run inner(*other, *document, files_, budget_);
      inner.called(given, where_, depth_ + 1);
      inner.run();
    }
  }

  void report(const YamlNode& node, const std::string& what) {
    if (++budget_.images > images_limit) {
      collector_.problem(source_.name, node.line, "more than 200000 images, matrices counted; the rest is left out");
      return;
    }
    const Readings readings = expand(node.text);
    const Place at = place(node, what);
    collector_.images(at, node.text, readings);
    // What the file alone leaves open, its caller has just said.
    if (is_called_ && !readings.front().unknown) collector_.forget_unset(at.file, at.line);
  }

  [[nodiscard]] Place place(const YamlNode& node, const std::string& what) const {
    return {source_.name, node.line, what.empty() ? where_ : where_ + ", " + what, Format::github_actions};
  }

  [[nodiscard]] Readings expand(string_view text, int depth = 0) const {
    return expand_marked(text, "${{", "}}", [&](string_view inner) { return Readings{evaluate(inner, depth)}; });
  }

  [[nodiscard]] Reading evaluate(string_view expression, int depth) const {
    if (depth > nesting_limit || ++budget_.evaluations > evaluations_limit) {
      return Reading::not_known(UnresolvedKind::expression, "its variables name each other in a circle");
    }
    return evaluate_github(expression, [&](string_view path) { return context(path, depth); });
  }

  [[nodiscard]] Reading context(string_view path, int depth) const {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const string_view kind = path.substr(0, dot);
    const string_view rest = path.substr(std::min(dot + 1, path.size()));
    if (kind == "matrix") return from_matrix(rest, depth);
    if (kind == "env") return variable(rest, depth);
    if (kind == "inputs") return input(rest);
    if (path.starts_with("github.event.inputs.")) return input(path.substr(20));
    if (kind == "needs" || kind == "steps" || kind == "jobs") {
      return Reading::not_known(
          UnresolvedKind::job_output,
          std::string(path) + (kind == "steps" ? " is the output of a step" : " is the output of another job"));
    }
    if (kind == "vars" || kind == "secrets") {
      return Reading::not_known(UnresolvedKind::run_time, std::string(path) + " is kept in the repository's settings");
    }
    return Reading::not_known(UnresolvedKind::run_time, std::string(path) + " is known when the workflow runs");
  }

  [[nodiscard]] Reading one(string_view text, int depth) const {
    Readings readings = expand(text, depth + 1);
    return std::move(readings.front());
  }

  [[nodiscard]] Reading from_matrix(string_view path, int depth) const {
    const std::size_t dot = path.find('.');
    if (combination_ != nullptr) {
      const auto found = combination_->find(path.substr(0, dot));
      const YamlNode* node = found == combination_->end() ? nullptr : found->second;
      if (node != nullptr && dot != string_view::npos && node->is_map()) node = node->find_path(path.substr(dot + 1));
      if (node != nullptr && node->is_scalar()) return one(node->text, depth);
    }
    if (matrix_expression_ != nullptr) {
      Reading whole = one(matrix_expression_->text, depth);
      return whole.unknown ? whole : Reading::not_known(UnresolvedKind::expression, "the matrix is an expression");
    }
    return {""};
  }

  [[nodiscard]] Reading input(string_view name) const {
    const auto found = inputs_.find(name);
    if (found != inputs_.end()) return found->second.front();
    return Reading::not_known(UnresolvedKind::unset_variable,
                              "input " + std::string(name) + " has no default in this file");
  }

  // The environment: the step's, the job's, the workflow's; what steps write to GITHUB_ENV replaces it.
  [[nodiscard]] Reading variable(string_view name, int depth) const {
    Reading later =
        Reading::not_known(UnresolvedKind::run_time, std::string(name) + " is written to GITHUB_ENV when the job runs");
    const bool written = written_.contains(name);
    const YamlNode* value = step_ == nullptr ? nullptr : in_env(*step_, name);
    if (value == nullptr && written && in_steps_) return later;
    if (value == nullptr && job_ != nullptr) value = in_env(*job_, name);
    if (value == nullptr) value = in_env(document_, name);
    if (value != nullptr && value->is_scalar()) return one(value->text, depth);
    if (written) return later;
    if (name.starts_with("GITHUB_") || name.starts_with("RUNNER_")) {
      return Reading::not_known(UnresolvedKind::run_time, "GitHub sets " + std::string(name) + " when the job runs");
    }
    return not_set(name);
  }

  static const YamlNode* in_env(const YamlNode& node, string_view name) {
    const YamlNode* env = node.find("env");
    return env == nullptr ? nullptr : env->find(name);
  }

  const Source& source_;
  const YamlNode& document_;
  Workspace& files_;
  Collector& collector_;
  Budget& budget_;
  Variables inputs_;
  std::string by_;
  int depth_ = 0;
  bool is_called_ = false;
  bool in_steps_ = false;

  const YamlNode empty_{};
  const YamlNode* job_ = nullptr;
  const YamlNode* step_ = nullptr;
  const Combination* combination_ = nullptr;
  const YamlNode* matrix_expression_ = nullptr;
  std::set<std::string, std::less<>> written_;
  std::string where_;
};

}  // namespace

void scan_github(const Source& source, const YamlNode& document, Workspace& files) {
  Budget budget;
  Run(source, document, files, budget).run();
}

}  // namespace paddock::ci
