#include "storage/blob_walk.h"

#include <string>
#include <utility>

#include "storage/mutex.h"
#include "storage/parallel.h"

namespace paddock {
namespace {

using Path = std::filesystem::path;

bool is_algorithm(std::string_view name) { return name == "sha256" || name == "sha512"; }

bool is_byte(std::string_view name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The store's own folders in `folder`; whatever has another name is a stray, with all that is in it.
Result<std::vector<std::string>> folders_in(FileSystem& fs, const Path& folder, bool (*is_ours)(std::string_view),
                                            FoundBlobs& found) {
  auto entries = fs.list(folder);
  if (!entries) return std::unexpected(std::move(entries).error());
  std::vector<std::string> names;
  for (auto& entry : *entries) {
    const bool ours = is_ours(entry.name);
    if (ours && entry.is_directory) {
      names.push_back(std::move(entry.name));
    } else if (ours) {
      return fail(ErrorCode::io, Blame::us,
                  (folder / entry.name).string() + " must be a folder, not a link or anything else, that can be read");
    } else if (!entry.is_unknown) {
      found.strays.push_back({folder / entry.name, "not the store's"});
    }
  }
  return names;
}

// blobs/<algorithm>/<first>
struct Branch {
  std::string algorithm;
  std::string first;
};

Result<void> read_leaf(FileSystem& fs, const Path& folder, const Branch& branch, std::string_view second,
                       FoundBlobs& found) {
  const auto entries = fs.list(folder);
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    const auto stray = [&](std::string_view why) { found.strays.push_back({folder / entry.name, why}); };
    const auto digest = digest_of_blob_file(branch.algorithm, branch.first, second, entry.name);
    if (entry.is_unknown) {
      if (digest) found.unknown.push_back(*digest);
    } else if (entry.is_directory) {
      stray("not the store's");
    } else if (entry.is_other) {
      stray("not a regular file");
    } else if (!digest) {
      stray("its name is not a digest in its place");
    } else {
      found.blobs.push_back({*digest, entry.size});
    }
  }
  return {};
}

Result<FoundBlobs> read_branch(FileSystem& fs, const Path& folder, const Branch& branch) {
  FoundBlobs found;
  const auto leaves = folders_in(fs, folder, is_byte, found);
  if (!leaves) return std::unexpected(leaves.error());
  for (const auto& second : *leaves) {
    if (auto read = read_leaf(fs, folder / second, branch, second, found); !read) {
      return std::unexpected(std::move(read).error());
    }
  }
  return found;
}

Result<std::vector<Branch>> find_branches(FileSystem& fs, const Path& blobs, FoundBlobs& found) {
  std::vector<Branch> branches;
  const auto algorithms = folders_in(fs, blobs, is_algorithm, found);
  if (!algorithms && algorithms.error().code == ErrorCode::not_found) return branches;
  if (!algorithms) return std::unexpected(algorithms.error());
  for (const auto& algorithm : *algorithms) {
    auto firsts = folders_in(fs, blobs / algorithm, is_byte, found);
    if (!firsts) return std::unexpected(std::move(firsts).error());
    for (auto& first : *firsts) branches.push_back({algorithm, std::move(first)});
  }
  return branches;
}

}  // namespace

Result<void> walk_blobs(FileSystem& fs, const DataPaths& paths, unsigned threads,
                        const std::function<Result<void>(const FoundBlobs&)>& visit) {
  const Path blobs = paths.blobs();
  FoundBlobs above;
  const auto branches = find_branches(fs, blobs, above);
  if (!branches) return std::unexpected(branches.error());
  if (auto visited = visit(above); !visited) return visited;
  Mutex visiting;
  return work_in_parallel(branches->size(), threads, [&](std::size_t index) -> Result<void> {
    const Branch& branch = (*branches)[index];
    const auto found = read_branch(fs, blobs / branch.algorithm / branch.first, branch);
    if (!found) return std::unexpected(found.error());
    const MutexLock lock(visiting);
    return visit(*found);
  });
}

}  // namespace paddock
