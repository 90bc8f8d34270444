#include "storage/blob_walk.h"

#include <string>
#include <utility>

#include "storage/mutex.h"
#include "storage/parallel.h"

namespace paddock {
namespace {

using Path = std::filesystem::path;

// Names of the folders in `folder`; what else is there is a stray.
Result<std::vector<std::string>> folders_in(FileSystem& fs, const Path& folder, FoundBlobs& found) {
  auto entries = fs.list(folder);
  if (!entries) return std::unexpected(std::move(entries).error());
  std::vector<std::string> names;
  for (auto& entry : *entries) {
    if (entry.is_directory) {
      names.push_back(std::move(entry.name));
    } else if (entry.is_unknown) {
      return fail(ErrorCode::io, Blame::us, "the disk does not say what " + (folder / entry.name).string() + " is");
    } else {
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
  const auto leaves = folders_in(fs, folder, found);
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
  const auto algorithms = folders_in(fs, blobs, found);
  if (!algorithms && algorithms.error().code == ErrorCode::not_found) return branches;
  if (!algorithms) return std::unexpected(algorithms.error());
  for (const auto& algorithm : *algorithms) {
    auto firsts = folders_in(fs, blobs / algorithm, found);
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
