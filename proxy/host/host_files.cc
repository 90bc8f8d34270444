#include "proxy/host/host_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace paddock {
namespace {

constexpr std::size_t file_limit = std::size_t{1} << 20U;
constexpr std::size_t entries_limit = 1000;
constexpr std::size_t processes_limit = 100'000;

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::not_found;
  return error == EACCES || error == EPERM ? ErrorCode::denied : ErrorCode::io;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(std::move(part));
  return parts;
}

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// proc(5): field 22 of /proc/PID/stat is the start in clock ticks after the boot, which /proc/stat dates.
std::optional<std::chrono::system_clock::time_point> start_of(const HostFiles& files, const std::string& process) {
  const auto stat = files.read(process + "/stat");
  const auto system = files.read("/proc/stat");
  if (!stat || !system) return std::nullopt;
  const auto name_end = stat->rfind(')');
  const auto boot_at = system->find("btime ");
  if (name_end == std::string::npos || boot_at == std::string::npos) return std::nullopt;
  const auto fields = split(stat->substr(std::min(name_end + 2, stat->size())), ' ');  // from the third on
  const auto line = system->substr(boot_at + 6);
  const auto boot = number<std::int64_t>(std::string_view(line).substr(0, line.find('\n')));
  const auto ticks = fields.size() > 19 ? number<std::int64_t>(fields[19]) : std::nullopt;
  const auto rate = ::sysconf(_SC_CLK_TCK);
  if (!boot || !ticks || rate <= 0) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::seconds(*boot + *ticks / rate));
}

}  // namespace

std::filesystem::path HostFiles::at(std::string_view path) const {
  return root_ / std::filesystem::path(path).relative_path();
}

Result<std::string> HostFiles::read(std::string_view path) const {
  const auto refuse = [&](int error) {
    return fail(code_of(error), Blame::us, std::string(path) + ": " + std::strerror(error));
  };
  const int fd = ::open(at(path).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return refuse(errno);
  std::string content;
  std::array<char, 16384> piece{};
  ssize_t got = 0;
  while (content.size() <= file_limit && (got = ::read(fd, piece.data(), piece.size())) > 0) {
    content.append(piece.data(), static_cast<std::size_t>(got));
  }
  const int error = errno;
  ::close(fd);
  if (got < 0) return refuse(error);
  if (content.size() > file_limit) {
    return fail(ErrorCode::too_large, Blame::us, std::string(path) + " is larger than 1 MiB");
  }
  return content;
}

bool HostFiles::exists(std::string_view path) const {
  std::error_code ignored;
  return std::filesystem::exists(at(path), ignored);
}

std::vector<std::string> HostFiles::list(std::string_view folder, std::string_view suffix) const {
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator entries(at(folder), error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const auto name = entries->path().filename().string();
    if (name.ends_with(suffix)) found.push_back(std::string(folder) + "/" + name);
    if (found.size() == entries_limit) break;
  }
  std::ranges::sort(found);
  return found;
}

std::optional<std::chrono::system_clock::time_point> HostFiles::changed(std::string_view path) const {
  struct stat info{};
  if (::stat(at(path).c_str(), &info) != 0) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::seconds(info.st_mtime));
}

std::optional<HostProcess> find_process(const HostFiles& files, std::string_view name) {
  std::error_code error;
  std::filesystem::directory_iterator entries(files.at("/proc"), error);
  std::size_t seen = 0;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const auto number_text = entries->path().filename().string();
    if (number_text.find_first_not_of("0123456789") != std::string::npos || ++seen > processes_limit) continue;
    const auto process = "/proc/" + number_text;
    const auto comm = files.read(process + "/comm");
    if (!comm || comm->substr(0, comm->find('\n')) != name) continue;
    const auto started = start_of(files, process);
    if (!started) continue;
    return HostProcess{split(files.read(process + "/environ").value_or(""), '\0'), *started};
  }
  return std::nullopt;
}

}  // namespace paddock
