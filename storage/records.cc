#include "storage/records.h"

#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>

#include "storage/mutex.h"
#include "storage/parallel.h"

namespace paddock {
namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

std::unexpected<Error> broken(std::string what) { return fail(ErrorCode::corrupt, Blame::us, std::move(what)); }

std::string key_text(std::string_view kind, const RepositoryKey& repository, std::string_view name) {
  const std::string_view nul("\0", 1);
  return std::string(kind)
      .append(nul)
      .append(repository.upstream)
      .append(nul)
      .append(repository.repository)
      .append(nul)
      .append(name);
}

std::string key_of(const Fact& fact) {
  return std::visit(Overloaded{
                        [](const ManifestFact& f) { return key_text("manifest", f.repository, f.digest.to_string()); },
                        [](const TagFact& f) { return key_text("tag", f.repository, f.tag); },
                        [](const PinFact& f) { return key_text("pin", f.pin.repository, f.pin.reference); },
                    },
                    fact);
}

Json base(std::string_view kind, const RepositoryKey& repository) {
  return {{"version", 1}, {"kind", kind}, {"upstream", repository.upstream}, {"repository", repository.repository}};
}

std::int64_t seconds(WallTime time) { return time.time_since_epoch().count(); }

Json to_json(const ManifestFact& fact) {
  Json out = base("manifest", fact.repository);
  out["digest"] = fact.digest.to_string();
  out["media_type"] = fact.media_type;
  auto& children = out["children"] = Json::array();
  for (const Digest& child : fact.children) children.push_back(child.to_string());
  return out;
}

Json to_json(const TagFact& fact) {
  Json out = base("tag", fact.repository);
  out["tag"] = fact.tag;
  out["digest"] = fact.digest.to_string();
  out["changed"] = seconds(fact.changed);
  if (fact.validated > fact.changed) out["validated"] = seconds(fact.validated);
  return out;
}

Json to_json(const PinFact& fact) {
  Json out = base("pin", fact.pin.repository);
  out["reference"] = fact.pin.reference;
  out["manifest"] = fact.pin.manifest.to_string();
  if (fact.pin.until) out["until"] = seconds(*fact.pin.until);
  if (!fact.pin.rule.empty()) out["rule"] = fact.pin.rule;
  return out;
}

// Takes the fields it is asked for; afterwards `good` says whether each was there and of its type.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {}

  std::string text(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_string()) return missing(std::string());
    return found->get_ref<const std::string&>();
  }
  WallTime time(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_number_integer()) return missing(WallTime());
    return WallTime(std::chrono::seconds(found->get<std::int64_t>()));
  }
  Digest digest(const char* name) { return parsed(text(name)); }
  std::vector<Digest> digests(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_array()) return missing(std::vector<Digest>());
    std::vector<Digest> out;
    for (const Json& item : *found) {
      if (!item.is_string()) return missing(std::move(out));
      out.push_back(parsed(item.get_ref<const std::string&>()));
    }
    return out;
  }
  [[nodiscard]] bool has(const char* name) const { return json_.contains(name); }
  [[nodiscard]] bool good() const { return good_; }
  RepositoryKey repository() { return {text("upstream"), text("repository")}; }

 private:
  template <typename T>
  T missing(T value) {
    good_ = false;
    return value;
  }
  Digest parsed(std::string_view text) {
    const auto digest = Digest::parse(text);
    return digest ? *digest : missing(Digest::of(""));
  }

  const Json& json_;
  bool good_ = true;
};

Result<Fact> from_json(const Json& json) {
  if (!json.is_object() || !json.contains("version") || json["version"] != 1)
    return broken("not a record of version 1");
  Fields fields(json);
  const std::string kind = fields.text("kind");
  Fact fact = TagFact{{}, {}, Digest::of("")};
  if (kind == "manifest") {
    fact = ManifestFact{fields.repository(), fields.digest("digest"), fields.text("media_type"),
                        fields.digests("children")};
  } else if (kind == "tag") {
    TagFact tag{fields.repository(), fields.text("tag"), fields.digest("digest"), fields.time("changed")};
    if (fields.has("validated")) tag.validated = fields.time("validated");
    fact = std::move(tag);
  } else if (kind == "pin") {
    PinRecord pin{fields.repository(), fields.text("reference"), fields.digest("manifest"), std::nullopt};
    if (fields.has("until")) pin.until = fields.time("until");
    if (fields.has("rule")) pin.rule = fields.text("rule");
    fact = PinFact{std::move(pin)};
  } else {
    return broken("a record of an unknown kind");
  }
  if (!fields.good()) return broken("a record with a field missing or malformed");
  return fact;
}

}  // namespace

Path RecordFiles::path_of(const Fact& fact) const {
  const std::string name = Digest::of(key_of(fact)).hex();
  return folder_ / name.substr(0, 2) / (name + ".json");
}

Result<void> RecordFiles::put(const Fact& fact) {
  std::string content;
  try {
    content = std::visit([](const auto& f) { return to_json(f).dump(1); }, fact);
  } catch (const Json::exception&) {
    return fail(ErrorCode::invalid_argument, Blame::us, "a record can hold UTF-8 text only");
  }
  if (content.size() > max_file_size) return fail(ErrorCode::too_large, Blame::us, "a record is too large to be kept");
  const Path path = path_of(fact);
  auto done = write_file_durably(fs_, path, content);
  if (done || done.error().code != ErrorCode::not_found) return done;
  // Not in place of a data folder that was removed or unmounted.
  if (const auto there = fs_.list(folder_); !there) return fail(ErrorCode::io, Blame::us, there.error().context);
  if (auto made = fs_.create_directories(path.parent_path()); !made) return made;
  return write_file_durably(fs_, path, content);
}

Result<void> RecordFiles::erase(const Fact& fact) {
  const Path path = path_of(fact);
  const auto removed = fs_.remove(path);
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  if (!removed) return removed;
  return fs_.sync_directory(path.parent_path());
}

Result<Fact> RecordFiles::read(const Path& path) {
  const auto content = read_file(fs_, path, max_file_size);
  if (!content) return std::unexpected(content.error());
  const Json json = Json::parse(*content, nullptr, false);
  if (json.is_discarded()) return broken("a record that is not JSON");
  auto fact = from_json(json);
  if (fact && path_of(*fact) != path) return broken("a record under the name of another");
  return fact;
}

std::vector<RecordFiles::Found> RecordFiles::read_folder(const DirectoryEntry& folder) {
  const Path path = folder_ / folder.name;
  std::vector<Found> out;
  if (folder.is_other) out.push_back({path, broken("not a folder")});
  if (folder.is_unknown) {
    out.push_back({path, fail(ErrorCode::io, Blame::us, "the disk does not say what it is")});
  }
  if (!folder.is_directory) return out;
  const auto files = fs_.list(path);
  if (!files) {
    out.push_back({path, std::unexpected(files.error())});
    return out;
  }
  for (const auto& entry : *files) {
    if (entry.is_directory || !entry.name.ends_with(".json")) continue;
    Path file = path / entry.name;
    auto fact = read(file);
    out.push_back({std::move(file), std::move(fact)});
  }
  return out;
}

Result<void> RecordFiles::for_each(const std::function<Result<void>(const Fact&)>& visit,
                                   const std::function<Result<void>(const Path&, const Error&)>& visit_broken,
                                   unsigned threads) {
  const auto folders = fs_.list(folder_);
  if (!folders && folders.error().code == ErrorCode::not_found) return {};
  if (!folders) return std::unexpected(folders.error());
  Mutex visiting;
  return work_in_parallel(folders->size(), threads, [&](std::size_t index) -> Result<void> {
    const auto records = read_folder((*folders)[index]);
    const MutexLock lock(visiting);
    for (const auto& [path, fact] : records) {
      if (auto visited = fact ? visit(*fact) : visit_broken(path, fact.error()); !visited) return visited;
    }
    return {};
  });
}

}  // namespace paddock
