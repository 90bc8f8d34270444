#include "proxy/warm/ci/workspace.h"

#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;

struct Contents {
  std::string text;
  std::string problem;
  bool worth_saying = true;  // also of a file that nobody named
};

Contents failed(std::string problem, bool worth_saying = true) { return {"", std::move(problem), worth_saying}; }

Contents read_file(const fs::path& path, std::size_t limit) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    if (!fs::exists(path, error)) return failed("no such file; correct the name");
    return failed("not a regular file; name a file or a folder", false);
  }
  if (fs::file_size(path, error) > limit && !error) {
    return failed("larger than " + std::to_string(limit) + " bytes, which no CI file is; left out", false);
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return failed("cannot be read; check its permissions");
  // It may grow while it is read, or be of those that have no size.
  std::string text(limit + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return failed("cannot be read; check the disk");
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > limit) return failed("larger than " + std::to_string(limit) + " bytes; left out", false);
  if (text.contains('\0')) return failed("holds NUL bytes: not a text file; left out", false);
  return {std::move(text), "", true};
}

// Without byte order mark; CRLF and CR become LF.
std::string uniform(std::string text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (!text.contains('\r')) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!pair) out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

}  // namespace

const Source* Workspace::load(const fs::path& path, const fs::path& root, bool quiet) {
  std::error_code error;
  fs::path key = fs::weakly_canonical(path, error);
  if (error) key = path.lexically_normal();
  const auto known = sources_.find(key);
  if (known != sources_.end() && (known->second || quiet)) return known->second.get();
  std::string name = path.lexically_normal().string();
  Contents contents = read_file(path, file_limit_);
  auto& slot = sources_[key];
  if (contents.problem.empty()) {
    slot = std::make_unique<Source>(Source{path, std::move(name), uniform(std::move(contents.text)), root});
  } else if (!quiet || contents.worth_saying) {
    collector_.problem(name, 0, std::move(contents.problem));
  }
  return slot.get();
}

const YamlFile& Workspace::yaml(const Source& source) { return inner_yaml(source.name, source.text, 1); }

const YamlFile& Workspace::inner_yaml(const std::string& name, std::string_view text, int first_line) {
  const std::string key = name + '\n' + std::to_string(first_line);
  auto& file = yaml_[key];
  if (!file) {
    file = std::make_unique<YamlFile>(name, text, first_line);
    if (const auto& problem = file->problem()) collector_.problem(name, problem->line, problem->message);
  }
  return *file;
}

}  // namespace paddock::ci
