#include "proxy/warm/ci/parameters.h"

#include <algorithm>
#include <cstddef>

namespace paddock::ci {
namespace {

using std::string_view;

constexpr int depth_limit = 8;  // callers of callers
constexpr int evaluations_limit = 100'000;

Readings job_output(string_view expression) {
  return {Reading::not_known(UnresolvedKind::job_output, std::string(expression) + " is the output of another task")};
}

Readings run_time(string_view expression) {
  return {Reading::not_known(UnresolvedKind::run_time, std::string(expression) + " is known when it runs")};
}

Readings no_value(string_view name) {
  return {Reading::not_known(UnresolvedKind::unset_variable,
                             "parameter " + std::string(name) + " has neither value nor default in this file")};
}

Readings beyond(string_view expression) {
  return {Reading::not_known(UnresolvedKind::expression, std::string(expression) + " is not evaluated")};
}

const YamlNode* named(const YamlNode* list, string_view name) {
  if (list == nullptr) return nullptr;
  const auto found = std::ranges::find_if(list->items, [&](const auto* item) { return item->scalar("name") == name; });
  return found == list->items.end() ? nullptr : *found;
}

void append(Readings& to, const Readings& from) {
  for (const Reading& reading : from) {
    if (to.size() < readings_limit) to.push_back(reading);
  }
}

// "x" of "x[0]", "x" and "['x']".
string_view plain_name(string_view text, std::optional<std::size_t>& index) {
  if (text.starts_with("['") || text.starts_with("[\""))
    return text.substr(2, text.size() - std::min<std::size_t>(text.size(), 4));
  const std::size_t bracket = text.find('[');
  if (bracket == string_view::npos) return text;
  const char digit = bracket + 1 < text.size() ? text[bracket + 1] : '*';
  if (digit >= '0' && digit <= '9') index = static_cast<std::size_t>(digit - '0');
  return text.substr(0, bracket);
}

}  // namespace

TektonParameters::TektonParameters(const TektonParameters* outer, const YamlNode& node, ExpansionBudget& budget)
    : outer_(outer), budget_(budget) {
  read(node.find("params"));
  if (const YamlNode* matrix = node.find("matrix")) read(matrix->find("params"));
}

void TektonParameters::read(const YamlNode* list) {
  if (list == nullptr) return;
  for (const YamlNode* item : list->items) {
    const std::string name(item->scalar("name"));
    for (const bool given : {true, false}) {
      const YamlNode* value = item->find(given ? "value" : "default");
      if (name.empty() || value == nullptr) continue;
      Readings readings;
      const auto add = [&](const YamlNode& one) {
        const Evaluate outside = [&](string_view inner) {
          return outer_ == nullptr ? no_value(inner) : outer_->evaluate(inner);
        };
        append(readings, budget_.within([&] { return expand_marked(one.text, "$(", ")", outside); }));
      };
      if (value->is_list()) {
        for (const YamlNode* one : value->items) add(*one);
      } else {
        add(*value);
      }
      (given ? values_ : defaults_)[name] = std::move(readings);
    }
  }
}

const Readings* TektonParameters::find(string_view name,
                                       std::map<std::string, Readings, std::less<>> TektonParameters::* kind) const {
  for (const TektonParameters* level = this; level != nullptr; level = level->outer_) {
    const auto found = (level->*kind).find(name);
    if (found != (level->*kind).end()) return &found->second;
  }
  return nullptr;
}

Readings TektonParameters::evaluate(string_view expression) const {
  string_view name = expression;
  for (const string_view prefix : {"inputs.params", "tt.params", "params"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.starts_with('.')) name.remove_prefix(1);
    std::optional<std::size_t> index;
    name = plain_name(name, index);
    const Readings* found = find(name, &TektonParameters::values_);
    if (found == nullptr) found = find(name, &TektonParameters::defaults_);
    if (found == nullptr) return no_value(name);
    if (!index) return *found;
    return *index < found->size() ? Readings{(*found)[*index]} : no_value(expression);
  }
  if (name.starts_with("tasks.") || name.starts_with("steps.") || name.starts_with("finally.")) {
    return job_output(name);
  }
  return name.starts_with("context.") ? run_time(name) : no_value(name);
}

ArgoParameters::ArgoParameters(const YamlNode& workflow, ExpansionBudget& budget)
    : workflow_(workflow), budget_(budget) {
  const YamlNode* templates = workflow.find("templates");
  if (templates == nullptr) return;
  for (const YamlNode* one : templates->items) {
    const std::string name(one->scalar("name"));
    templates_[name] = one;
    for (const string_view key : {"steps", "dag"}) {
      if (const YamlNode* body = one->find(key)) find_calls(*body, name);
    }
  }
}

void ArgoParameters::find_calls(const YamlNode& node, const std::string& caller) {
  if (const string_view called = node.scalar("template"); !called.empty()) {
    calls_[std::string(called)].push_back({&node, caller});
  }
  for (const YamlNode* item : node.items) find_calls(*item, caller);
  if (const YamlNode* tasks = node.find("tasks")) find_calls(*tasks, caller);
}

Readings ArgoParameters::evaluate(const std::string& of_template, string_view expression) const {
  return evaluate(of_template, expression, 0);
}

Readings ArgoParameters::evaluate(const std::string& of_template, string_view expression, int depth) const {
  if (depth > depth_limit || ++evaluations_ > evaluations_limit) return beyond(expression);
  constexpr string_view workflow = "workflow.parameters.";
  constexpr string_view inputs = "inputs.parameters.";
  if (expression.starts_with(workflow)) {
    const YamlNode* parameter = named(workflow_.find_path("arguments.parameters"), expression.substr(workflow.size()));
    const YamlNode* value = parameter == nullptr ? nullptr : parameter->find("value");
    if (value == nullptr && parameter != nullptr) value = parameter->find("default");
    if (value == nullptr || !value->is_scalar()) return no_value(expression.substr(workflow.size()));
    return {{value->text}};
  }
  if (expression.starts_with(inputs)) {
    return budget_.within([&] { return input(of_template, expression.substr(inputs.size()), depth); });
  }
  if (expression.starts_with("tasks.") || expression.starts_with("steps.")) return job_output(expression);
  return expression.starts_with("workflow.") ? run_time(expression) : beyond(expression);
}

Readings ArgoParameters::input(const std::string& of_template, string_view name, int depth) const {
  Readings readings;
  const auto calls = calls_.find(of_template);
  if (calls != calls_.end()) {
    for (const Call& call : calls->second) {
      const YamlNode* parameter = named(call.step->find_path("arguments.parameters"), name);
      if (parameter != nullptr) append(readings, passed(call, *parameter, depth));
    }
  }
  if (!readings.empty()) return readings;
  const auto declared = templates_.find(of_template);
  const YamlNode* parameter =
      declared == templates_.end() ? nullptr : named(declared->second->find_path("inputs.parameters"), name);
  const YamlNode* value = parameter == nullptr ? nullptr : parameter->find("value");
  if (value == nullptr && parameter != nullptr) value = parameter->find("default");
  if (value == nullptr || !value->is_scalar()) return no_value(name);
  return expand_marked(value->text, "{{", "}}",
                       [&](string_view inner) { return evaluate(of_template, inner, depth + 1); });
}

// An argument as the calling step writes it; {{item}} stands for each of its items.
Readings ArgoParameters::passed(const Call& call, const YamlNode& parameter, int depth) const {
  const YamlNode* value = parameter.find("value");
  if (value == nullptr || !value->is_scalar())
    return job_output("valueFrom of " + std::string(parameter.scalar("name")));
  return expand_marked(value->text, "{{", "}}", [&](string_view inner) -> Readings {
    if (inner != "item" && !inner.starts_with("item.")) return evaluate(call.caller, inner, depth + 1);
    const YamlNode* items = call.step->find("withItems");
    if (items == nullptr || !items->is_list()) return job_output("withParam");
    Readings readings;
    for (const YamlNode* item : items->items) {
      const YamlNode* part = inner == "item" ? item : item->find_path(inner.substr(5));
      append(readings, part != nullptr && part->is_scalar() ? Readings{{part->text}} : beyond(inner));
    }
    return readings;
  });
}

}  // namespace paddock::ci
