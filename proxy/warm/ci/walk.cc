#include "proxy/warm/ci/walk.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace paddock::ci {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> skipped{".git",  ".hg",         ".svn",       "node_modules",
                                                  ".venv", "__pycache__", ".terraform", ".tox"};
constexpr int depth_limit = 64;

struct Folder {
  fs::path path;
  int depth = 0;
};

class Walker {
 public:
  Walker(std::size_t limit, const ListFolder& list, Collector& collector)
      : limit_(limit), list_(list), collector_(collector) {}

  std::vector<fs::path> run(const fs::path& start) {
    std::vector<Folder> stack{{start}};
    while (!stack.empty() && entries_ < limit_) {
      const Folder folder = std::move(stack.back());
      stack.pop_back();
      if (enter(folder)) visit(folder, stack);
    }
    if (entries_ >= limit_) {
      collector_.problem(start.string(), 0,
                         "more than " + std::to_string(limit_) + " files; the rest is left out: scan a smaller folder");
    }
    std::ranges::sort(files_);
    return std::move(files_);
  }

 private:
  bool enter(const Folder& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder.path, error);
    if (error) {
      collector_.problem(folder.path.string(), 0, "cannot be followed (" + error.message() + "); mend or remove it");
      return false;
    }
    if (folder.depth > depth_limit) {
      collector_.problem(folder.path.string(), 0, "nested deeper than 64 folders; left out");
      return false;
    }
    if (entered_.insert(real).second) return true;
    // Links may lead to one folder from several sides; only one that leads upwards is a loop.
    const std::string inner = (fs::canonical(folder.path.parent_path(), error) / "").string();
    if (inner.starts_with((real / "").string())) {
      collector_.problem(folder.path.string(), 0, "a link to a folder that holds it; it is not followed again");
    }
    return false;
  }

  void visit(const Folder& folder, std::vector<Folder>& stack) {
    std::error_code error;
    auto entries = list_(folder.path, error);
    if (error) {
      collector_.problem(folder.path.string(), 0,
                         "the folder cannot be read (" + error.message() + "); check its permissions");
      return;
    }
    std::ranges::sort(entries, std::greater());
    for (fs::path& entry : entries) {
      if (++entries_ >= limit_) return;
      const auto status = fs::status(entry, error);
      if (error && error != std::errc::no_such_file_or_directory) {
        collector_.problem(entry.string(), 0, "cannot be followed (" + error.message() + "); mend or remove it");
      } else if (fs::is_directory(status)) {
        const std::string name = entry.filename().string();
        if (std::ranges::find(skipped, name) == skipped.end()) stack.push_back({std::move(entry), folder.depth + 1});
      } else if (fs::is_regular_file(status)) {
        files_.push_back(std::move(entry));
      }
    }
  }

  std::size_t limit_;
  const ListFolder& list_;
  Collector& collector_;
  std::size_t entries_ = 0;
  std::set<fs::path> entered_;
  std::vector<fs::path> files_;
};

}  // namespace

std::vector<fs::path> list_folder(const fs::path& folder, std::error_code& error) {
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  return entries;
}

std::vector<fs::path> walk(const fs::path& folder, std::size_t limit, const ListFolder& list, Collector& collector) {
  return Walker(limit, list, collector).run(folder);
}

}  // namespace paddock::ci
