#include "storage/data_folder.h"

#include <array>
#include <utility>

namespace paddock {
namespace {

using Path = std::filesystem::path;

std::unexpected<Error> denied(const Path& root, const Error& error) {
  return fail(error.code, Blame::us,
              "the data folder " + root.string() + " cannot be used (" + error.context + "): " +
                  (error.code == ErrorCode::denied ? "make it writable for this user, or give another --data"
                                                   : "mend that, or give another --data"));
}

std::unexpected<Error> in_use(FileSystem& fs, const DataPaths& paths) {
  std::string holder = read_file(fs, paths.lock(), 32).value_or("");
  holder = holder.substr(0, holder.find_first_not_of("0123456789"));
  return fail(ErrorCode::conflict, Blame::us,
              "the data folder " + paths.root().string() + " is in use by " +
                  (holder.empty() ? "another process" : "process " + holder) + ": stop it, or give another --data");
}

std::string_view known_format() {
  std::string_view line = DataFolder::format_line;
  line.remove_suffix(1);
  return line;
}

std::string how_to_mend(const DataPaths& paths) {
  return "if it is a data folder that no other version of Paddock has used, mend it with: echo '" +
         std::string(known_format()) + "' > '" + paths.format().string() + "'; else give another --data";
}

// Fit for a terminal and a log line, whatever a file holds.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 40;
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      out += c;
    } else {
      out.append("\\x").append({hex[byte >> 4U], hex[byte & 15U]});
    }
  }
  return out + (text.size() > longest ? "\"..." : "\"");
}

// "paddock-store N", of whatever N.
bool is_format_line(std::string_view line) {
  const std::string_view name = known_format().substr(0, known_format().find(' ') + 1);
  if (!line.starts_with(name) || !line.ends_with('\n')) return false;
  const auto number = line.substr(name.size(), line.size() - name.size() - 1);
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
}

// A new folder gets the format line before anything else, so that a folder with our names and without it is not ours.
Result<void> create_format(FileSystem& fs, const DataPaths& paths) {
  const auto entries = fs.list(paths.root());
  if (!entries) return denied(paths.root(), entries.error());
  for (const auto& entry : *entries) {
    for (const Path& ours : {paths.blobs(), paths.partial(), paths.records(), paths.catalog()}) {
      if (entry.name != ours.filename()) continue;
      return fail(ErrorCode::unsupported, Blame::us,
                  "the folder " + paths.root().string() + " holds \"" + entry.name +
                      "\" but no FORMAT file: " + how_to_mend(paths));
    }
  }
  if (auto made = write_file_durably(fs, paths.format(), DataFolder::format_line); !made) {
    return denied(paths.root(), made.error());
  }
  return {};
}

Result<void> check_format(FileSystem& fs, const DataPaths& paths) {
  const auto line = read_file(fs, paths.format(), 256);
  const bool too_large = !line && line.error().code == ErrorCode::too_large;
  if (!line && line.error().code == ErrorCode::not_found) return create_format(fs, paths);
  if (!line && !too_large) return denied(paths.root(), line.error());
  if (line && *line == DataFolder::format_line) return {};
  if (line && is_format_line(*line)) {
    const std::string said = line->substr(0, line->size() - 1);
    return fail(ErrorCode::unsupported, Blame::us,
                "the data folder " + paths.root().string() + " has the format " + in_quotes(said) +
                    ", this program knows " + in_quotes(known_format()) +
                    ": use the version of Paddock that made it, or give another --data");
  }
  return fail(ErrorCode::unsupported, Blame::us,
              "the file " + paths.format().string() + " is damaged" +
                  (too_large ? "" : ", it holds " + in_quotes(*line)) + ": " + how_to_mend(paths));
}

Result<void> check_writable(FileSystem& fs, const Path& folder) {
  const Path probe = folder / ".probe";
  if (auto file = fs.open(probe, FileSystem::Open::create); !file) return std::unexpected(file.error());
  return fs.remove(probe);
}

}  // namespace

Result<void> check_present(FileSystem& fs, const DataPaths& paths) {
  const auto file = fs.open(paths.format(), FileSystem::Open::read);
  if (file) return {};
  const std::string folder = "the data folder " + paths.root().string();
  return fail(ErrorCode::io, Blame::us,
              file.error().code == ErrorCode::not_found ? folder + " is gone: mount or restore it"
                                                        : folder + " cannot be read: " + file.error().context,
              true);
}

Result<void> DataFolder::present(FileSystem& fs) const {
  if (auto there = check_present(fs, paths_); !there || lock_->in_place()) return there;
  return fail(ErrorCode::conflict, Blame::us,
              "the data folder " + paths_.root().string() +
                  " was replaced while in use: bring it back, or restart this server on the new one",
              true);
}

Path blob_path(const Path& root, const Digest& digest) {
  const std::string hex = digest.hex();
  return root / "blobs" / digest.algorithm_name() / hex.substr(0, 2) / hex.substr(2, 2) / hex;
}

std::optional<Digest> digest_of_blob_file(std::string_view algorithm, std::string_view first, std::string_view second,
                                          std::string_view name) {
  const auto digest = Digest::parse(std::string(algorithm).append(1, ':').append(name));
  if (!digest || first != name.substr(0, 2) || second != name.substr(2, 2)) return std::nullopt;
  return *digest;
}

Path DataPaths::blob(const Digest& digest) const { return blob_path(root_, digest); }

Path DataPaths::partial(const Digest& digest) const {
  return partial() / (std::string(digest.algorithm_name()) + "-" + digest.hex());
}

Result<DataFolder> DataFolder::open(FileSystem& fs, const Path& root) {
  DataPaths paths(root);
  if (auto made = fs.create_directories(root); !made) return denied(root, made.error());
  auto lock = fs.lock(paths.lock());
  if (!lock) {
    return lock.error().code == ErrorCode::conflict ? in_use(fs, paths) : denied(root, lock.error());
  }
  if (auto format = check_format(fs, paths); !format) return std::unexpected(std::move(format.error()));
  for (const Path& folder : {paths.blobs(), paths.partial(), paths.records(), paths.catalog(), paths.jobs()}) {
    if (auto made = fs.create_directories(folder); !made) return denied(root, made.error());
    if (auto writable = check_writable(fs, folder); !writable) return denied(root, writable.error());
  }
  return DataFolder(std::move(paths), std::move(*lock));
}

}  // namespace paddock
