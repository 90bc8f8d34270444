#include "proxy/warm/ci/jenkinsfile.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "proxy/warm/ci/env_file.h"
#include "proxy/warm/ci/groovy_text.h"
#include "proxy/warm/ci/jenkins_words.h"
#include "proxy/warm/ci/kubernetes.h"
#include "proxy/warm/ci/shell.h"

namespace paddock::ci {
namespace {

using std::string_view;
using Tokens = std::vector<GroovyToken>;

constexpr int lookups_limit = 1000;  // of one text: values may name each other
constexpr int depth_limit = 16;

// An expression of strings and variables joined by '+', or the reason why it is none.
struct Expression {
  Tokens parts;
  bool simple = true;
  std::size_t end = 0;  // the token behind it
};

class Scanner {
 public:
  Scanner(const Source& source, Workspace& files)
      : source_(source), files_(files), collector_(files.collector()), tokens_(split_groovy(source.text)) {}

  void run() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) collect_values();
    blocks_.assign(1, {});
    for (at_ = 0; at_ < tokens_.size(); ++at_) step();
    while (!blocks_.empty()) leave();
  }

 private:
  // A { } and what its images still wait for.
  struct Block {
    struct Image {
      int line;
      std::string written;
      Readings readings;
    };
    std::string name;      // the word before it
    std::string registry;  // set by registryUrl or withRegistry
    std::vector<Image> images;
  };

  [[nodiscard]] const GroovyToken& token(std::size_t index) const {
    static const GroovyToken nothing;
    return index < tokens_.size() ? tokens_[index] : nothing;
  }

  // First pass: NAME = value, parameters and matrix axes, wherever they stand.
  void collect_values() {
    const GroovyToken& here = token(at_);
    if (here.kind != GroovyToken::Kind::word) return;
    if (here.text == "excludes") return skip_block();
    if (token(at_ + 1).is("=") && !token(at_ + 2).is("=") && !token(at_ + 2).is("~")) {
      add_value(here.text, read_expression(at_ + 2));
    } else if (here.text == "name" && token(at_ + 1).is_text() && token(at_ + 2).is("\n")) {
      axis_ = token(at_ + 1).text;
    } else if (here.text == "values" && token(at_ + 1).is_text() && !axis_.empty()) {
      for (std::size_t i = at_ + 1; token(i).is_text(); i += skip_comma(i)) add_text(axis_, token(i));
      axis_.clear();
    } else if (here.text == "string" || here.text == "choice") {
      parameter();
    } else if (here.is("docker") && token(at_ + 1).is(".") && token(at_ + 2).is("build")) {
      const Expression name = read_expression(at_ + 4);
      if (name.simple) built_.push_back(name);
    }
  }

  void skip_block() {
    int depth = 0;
    for (; at_ < tokens_.size(); ++at_) {
      if (token(at_).is("{")) ++depth;
      if (token(at_).is("}") && --depth <= 0) return;
    }
  }

  // From one value of a list to the next: over ',' and line ends.
  [[nodiscard]] std::size_t skip_comma(std::size_t index) const {
    std::size_t next = 1;
    if (!token(index + next).is(",")) return next;
    ++next;
    while (token(index + next).is("\n")) ++next;
    return next;
  }

  // string(name: 'X', defaultValue: 'y'); the first of choice(name: 'X', choices: ['a', 'b']) is the default.
  void parameter() {
    if (!token(at_ + 1).is("(")) return;
    std::string name;
    const GroovyToken* value = nullptr;
    for (std::size_t i = at_ + 2; i < std::min(at_ + 60, tokens_.size()) && !token(i).is(")"); ++i) {
      if (!token(i + 1).is(":")) continue;
      if (token(i).is("name") && token(i + 2).is_text()) name = token(i + 2).text;
      const std::size_t at = token(i + 2).is("[") ? i + 3 : i + 2;
      if ((token(i).is("defaultValue") || token(i).is("choices")) && token(at).is_text()) value = &token(at);
    }
    if (!name.empty() && value != nullptr) add_text(name, *value);
  }

  void add_text(const std::string& name, const GroovyToken& text) {
    Expression value;
    value.parts = {text};
    add_value(name, std::move(value));
  }

  void add_value(const std::string& name, Expression value) {
    auto& all = values_[name];
    if (all.size() < readings_limit) all.push_back(std::move(value));
  }

  [[nodiscard]] Expression read_expression(std::size_t index) const {
    Expression out;
    bool operand = true;
    for (; index < tokens_.size(); ++index) {
      const GroovyToken& here = token(index);
      if (here.is("\n") || here.is(")") || here.is(",") || here.is(";") || here.is("}")) break;
      if (operand && (here.is_text() || here.kind == GroovyToken::Kind::word)) {
        const bool dotted = here.kind == GroovyToken::Kind::word && token(index + 1).is(".");
        if (dotted && (here.text == "env" || here.text == "params")) ++index;
        out.parts.push_back(token(dotted ? ++index : index));
        out.simple = out.simple && (!dotted || here.text == "env" || here.text == "params");
        operand = false;
      } else if (!operand && here.is("+")) {
        operand = true;
      } else {
        out.simple = false;
      }
      if (out.parts.size() > 32) out.simple = false;
      if (!out.simple) break;
    }
    out.simple = out.simple && !out.parts.empty() && !operand;
    out.end = index;
    return out;
  }

  // Second pass.
  void step() {
    const GroovyToken& here = token(at_);
    if (here.is("{")) {
      enter();
    } else if (here.is("}")) {
      leave();
      if (blocks_.empty()) blocks_.emplace_back();
    } else if (here.kind == GroovyToken::Kind::word) {
      word(here);
    }
  }

  void word(const GroovyToken& here) {
    const GroovyToken& next = token(at_ + 1);
    const bool call = next.is("(") || next.is(":");
    const std::size_t argument = at_ + (call ? 2 : 1);
    const bool member = at_ > 0 && token(at_ - 1).is(".");
    if (names_image(here, member, call)) {
      image(argument);
    } else if (here.text == "registryUrl" || here.text == "withRegistry") {
      registry(argument);
    } else if (is_shell_step(here.text) && !member) {
      script(argument);
    } else if (here.text == "yaml" && token(argument).is_text()) {
      pod(token(argument));
      at_ = argument;
    } else if (here.text == "stage" && next.is("(") && token(at_ + 2).is_text()) {
      stage_ = token(at_ + 2).text;
    }
  }

  [[nodiscard]] bool names_image(const GroovyToken& here, bool member, bool call) const {
    const GroovyToken& next = token(at_ + 1);
    if (here.text == "image" && member) return token(at_ - 2).is("docker") && call;
    if (here.text == "image") return call || next.is_text() || is_value(next);
    if (here.text == "withDockerContainer") return !member && call && token(at_ + 2).is_text();
    return here.text == "docker" && !member && token(at_ + (call ? 2 : 1)).is_text();
  }

  // "image IMAGE_NAME": a variable, and nothing that makes it a call or an assignment.
  [[nodiscard]] bool is_value(const GroovyToken& next) const {
    return next.kind == GroovyToken::Kind::word && !token(at_ + 2).is("=");
  }

  void enter() {
    std::string name;
    if (at_ > 0) name = token(at_ - 1).text;
    blocks_.push_back({name, blocks_.back().registry, {}});
    if (!pending_registry_.empty()) blocks_.back().registry = std::exchange(pending_registry_, {});
  }

  void leave() {
    const Block block = std::move(blocks_.back());
    blocks_.pop_back();
    for (const Block::Image& image : block.images) {
      Readings readings = image.readings;
      for (Reading& reading : readings) prefix(reading, block.registry);
      collector_.images(place(image.line), image.written, readings);
    }
  }

  // The Docker plugin puts the registry before names that have none.
  static void prefix(Reading& reading, const std::string& registry) {
    if (registry.empty() || reading.unknown) return;
    const auto image = parse_image_reference(reading.text);
    if (image && !image->registry && !is_image_id(reading.text)) reading.text.insert(0, registry + "/");
  }

  void image(std::size_t index) {
    const Expression name = read_expression(index);
    const int line = token(index).line;
    Readings readings = evaluate(name);
    for (const Expression& built : built_) {
      const Readings made = evaluate(built);
      for (Reading& reading : readings) {
        if (reading.unknown || !contains(made, reading.text, &Reading::text)) continue;
        reading = Reading::not_known(UnresolvedKind::built_here, "built by the same pipeline, not pulled");
      }
    }
    blocks_.back().images.push_back({line, written(index, name), std::move(readings)});
    at_ = std::max(at_, name.end == 0 ? at_ : name.end - 1);
  }

  void registry(std::size_t index) {
    const Expression url = read_expression(index);
    const Readings readings = evaluate(url);
    if (readings.size() != 1 || readings.front().unknown) return;
    if (token(at_).text == "registryUrl") {
      blocks_.back().registry = registry_of(readings.front().text);
    } else {
      pending_registry_ = registry_of(readings.front().text);
    }
  }

  void script(std::size_t index) {
    const Expression script = read_expression(script_argument(index));
    if (!script.simple) return;
    at_ = script.end - 1;
    const int line = script.parts.front().line;
    const std::string text = as_shell(script);
    if (!names_engine(text)) return;
    ShellScanner shell(collector_, place(line), [this](string_view name) { return find(name); });
    shell.scan(text, line);
    shell.finish();
  }

  // sh 'x', sh('x'), sh label: 'y', script: 'x', the last over several lines too.
  [[nodiscard]] std::size_t script_argument(std::size_t index) const {
    while (token(index).is("\n")) ++index;
    if (token(index).is_text()) return index;
    for (std::size_t i = index; i < std::min(index + 40, tokens_.size()) && !token(i).is(")"); ++i) {
      if (token(i).is("script") && token(i + 1).is(":")) return i + 2;
      if (token(i).is("\n") && !token(i - 1).is(",")) break;
    }
    return index;
  }

  // Groovy's variables become the shell's, whose values `find` knows.
  static std::string as_shell(const Expression& script) {
    std::string text;
    for (const GroovyToken& part : script.parts) {
      if (part.kind == GroovyToken::Kind::word) {
        text.append("${").append(part.text).append("}");
      } else {
        text += part.interpolated ? without_scopes(part.text) : part.text;
      }
    }
    std::ranges::replace(text, literal_dollar, '$');
    return text;
  }

  // A pod template; Groovy's variables are filled in where they have one value.
  void pod(const GroovyToken& text) {
    const auto known = [](const Readings& readings) { return readings.size() == 1 && !readings.front().unknown; };
    std::string yaml = text.text;
    if (text.interpolated) {
      const Readings whole = in_pieces(yaml);
      if (known(whole)) yaml = whole.front().text;
    }
    const YamlFile& file = files_.inner_yaml(source_.name, yaml, text.line);
    for (const YamlNode* document : file.documents()) {
      scan_kubernetes(source_, *document, files_, Format::jenkinsfile);
    }
  }

  // Line by line, since one text may not be long.
  [[nodiscard]] Readings in_pieces(string_view text) const {
    std::string out;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
      Readings line = expand(text.substr(0, end));
      const bool known = line.size() == 1 && !line.front().unknown;
      out.append(known ? line.front().text : std::string(text.substr(0, end)));
      text.remove_prefix(end);
    }
    return {{std::move(out)}};
  }

  [[nodiscard]] std::string written(std::size_t index, const Expression& name) const {
    std::string out;
    for (std::size_t i = index; i < std::max(name.end, index + 1) && i < tokens_.size(); ++i) {
      const GroovyToken& part = tokens_[i];
      out += part.is("+") ? " + " : part.text;
    }
    return out;
  }

  [[nodiscard]] Readings evaluate(const Expression& expression) const {
    lookups_ = 0;
    return evaluate(expression, 0);
  }

  [[nodiscard]] Readings evaluate(const Expression& expression, int depth) const {
    if (!expression.simple) {
      return {Reading::not_known(UnresolvedKind::run_time, "what the script computes, known when it runs")};
    }
    // As one text, so that a variable named twice has one value.
    std::string text;
    for (const GroovyToken& part : expression.parts) {
      if (part.kind == GroovyToken::Kind::word) {
        text.append("${").append(part.text).append("}");
      } else {
        text += part.text;
        if (!part.interpolated)
          std::replace(text.end() - static_cast<std::ptrdiff_t>(part.text.size()), text.end(), '$', literal_dollar);
      }
    }
    return expand(text, depth);
  }

  [[nodiscard]] Readings expand(string_view text, int depth = 0) const {
    return budget_.within([&] {
      return expand_variables(without_scopes(text), Dialect::gitlab,
                              [&](string_view name) { return find(name, depth + 1); });
    });
  }

  [[nodiscard]] std::optional<Readings> find(string_view name, int depth = 0) const {
    if (depth > depth_limit || ++lookups_ > lookups_limit) {
      return Readings{Reading::not_known(UnresolvedKind::expression, "its variables name each other in a circle")};
    }
    const auto found = values_.find(name);
    if (found == values_.end()) {
      if (!is_set_by_jenkins(name)) return std::nullopt;
      return Readings{
          Reading::not_known(UnresolvedKind::run_time, "Jenkins sets " + std::string(name) + " when the job runs")};
    }
    Readings readings;
    for (const Expression& value : found->second) {
      std::ranges::copy(evaluate(value, depth), std::back_inserter(readings));
      if (readings.size() > readings_limit) break;  // which makes them too many
    }
    return readings;
  }

  [[nodiscard]] Place place(int line) const {
    return {source_.name, line, stage_.empty() ? "" : "stage " + stage_, Format::jenkinsfile};
  }

  const Source& source_;
  Workspace& files_;
  Collector& collector_;
  Tokens tokens_;
  std::size_t at_ = 0;
  std::map<std::string, std::vector<Expression>, std::less<>> values_;
  std::vector<Expression> built_;
  std::string axis_;
  std::vector<Block> blocks_;
  std::string pending_registry_;
  std::string stage_;
  mutable int lookups_ = 0;
  mutable ExpansionBudget budget_;
};

}  // namespace

void scan_jenkinsfile(const Source& source, Workspace& files) { Scanner(source, files).run(); }

}  // namespace paddock::ci
