#include "config/yaml_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "config/report.h"
#include "config/schema.h"
#include "config/text.h"
#include "config/yaml_reader.h"

namespace paddock::config {
namespace {

constexpr std::size_t read_limit = (1U << 20U) + 1;  // one more than the reader accepts

ErrorCode code_of(int number) {
  if (number == ENOENT) return ErrorCode::not_found;
  return number == EACCES || number == EPERM ? ErrorCode::denied : ErrorCode::io;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return paddock::fail(ErrorCode::io, Blame::us, cat({path.string(), ": is a folder, not a configuration file"}));
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    const int number = errno;
    return paddock::fail(code_of(number), Blame::us, cat({path.string(), ": ", std::strerror(number)}));
  }
  std::string text(read_limit, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return paddock::fail(ErrorCode::io, Blame::us, cat({path.string(), ": cannot be read"}));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

struct Text {
  std::string content, name;
};

void note_changes(const std::vector<Field>& before, const std::vector<Field>& after, const std::string& path,
                  Report& report) {
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (same_value(before[i], after[i])) continue;
    report.forget_origins(path + after[i].path + '[');
    report.note_origin(path + after[i].path, "command line");
  }
}

// What flags changed is not to be blamed on the file.
void note_changes(Config& before, Config& after, Report& report) {
  const Schema old_schema = schema_of(before);
  const Schema new_schema = schema_of(after);
  note_changes(old_schema.fields, new_schema.fields, "", report);
  for (std::size_t l = 0; l < new_schema.lists.size(); ++l) {
    const ListField& old_list = old_schema.lists[l];
    const ListField& new_list = new_schema.lists[l];
    for (std::size_t i = 0; i < std::min(old_list.size(), new_list.size()); ++i) {
      note_changes(old_list.element(i), new_list.element(i), cat({new_list.path, "[", std::to_string(i), "]."}),
                   report);
    }
  }
}

Result<Config> assemble(Config config, const std::optional<Text>& text, const Environment& environment,
                        const std::function<void(Config&)>& flags) {
  Report report;
  const Schema schema = schema_of(config);
  if (text) read_yaml(text->content, text->name, schema, report);
  read_environment(environment, schema, report);
  if (flags) {
    Config before = config;
    flags(config);
    note_changes(before, config, report);
  }
  check(config, report);
  if (!report.empty()) return paddock::fail(ErrorCode::invalid_argument, Blame::us, report.text());
  return config;
}

}  // namespace

Result<Config> load(const Sources& sources) {
  std::optional<Text> text;
  if (sources.file) {
    auto content = read_file(*sources.file);
    if (!content) return std::unexpected(content.error());
    text = Text{std::move(*content), sources.file->string()};
  }
  return assemble(Config{}, text, sources.environment, sources.flags);
}

Result<Config> load(const std::filesystem::path& file) { return load(Sources{file, {}, {}}); }

Result<Config> load_text(std::string_view text, const std::string& name) {
  return assemble(Config{}, Text{std::string(text), name}, {}, {});
}

Result<Config> apply_environment(Config config, const Environment& environment) {
  return assemble(std::move(config), std::nullopt, environment, {});
}

}  // namespace paddock::config
