// One fill and its readers: a blob is written and hashed while N coroutines follow it on one event loop and read each
// byte from the file.
#include <array>
#include <benchmark/benchmark.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "storage/partial_blob.h"
#include "storage/posix_file_system.h"

namespace paddock {
namespace {

constexpr std::uint64_t blob_size = std::uint64_t{64} << 20U;
constexpr std::uint64_t write_size = std::uint64_t{256} << 10U;

struct TemporaryFile {
  TemporaryFile() {
    path = (std::filesystem::temp_directory_path() / "paddock-micro-XXXXXX").string();
    const int descriptor = ::mkstemp(path.data());
    if (descriptor < 0) throw std::runtime_error(path + " cannot be made");
    ::close(descriptor);
  }
  ~TemporaryFile() { ::unlink(path.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path;
};

// Adds what it has read to `total`; ends where bytes are held back until the digest is known.
Task<void> follow(PartialBlob& blob, std::vector<std::byte>& buffer, std::uint64_t& total) {
  std::uint64_t offset = 0;
  while (offset < blob_size - PartialBlob::hold_back) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto readable = co_await blob.wait_readable(offset, deadline);
    if (!readable) co_return;
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(*readable, buffer.size()));
    const auto count = blob.file()->read_at(offset, part);
    if (!count) co_return;
    offset += *count;
    total += *count;
  }
}

void write_all(PartialBlob& blob, std::span<const std::byte> bytes) {
  for (std::uint64_t offset = 0; offset < blob_size; offset += bytes.size())
    if (auto written = blob.write(offset, bytes); !written) return blob.fail(written.error());
}

void fan_out(benchmark::State& state) {
  const auto readers = static_cast<std::uint64_t>(state.range(0));
  PosixFileSystem fs;
  const std::vector<std::byte> bytes(write_size, std::byte{7});
  std::vector<std::byte> buffer(write_size);
  for (auto _ : state) {
    const TemporaryFile temporary;
    auto file = fs.open(temporary.path, FileSystem::Open::update);
    if (!file) return state.SkipWithError("no file");
    PartialBlob blob(Digest::of("anything"), blob_size, temporary.path, std::move(*file), Reservation());
    asio::io_context loop;
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < readers; ++i) asio::co_spawn(loop, follow(blob, buffer, total), asio::detached);
    std::thread followers([&loop] { loop.run(); });
    write_all(blob, bytes);
    followers.join();
    if (total < readers * (blob_size - PartialBlob::hold_back)) state.SkipWithError("bytes are missing");
  }
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(blob_size * std::max<std::uint64_t>(1, readers)));
}
BENCHMARK(fan_out)->Arg(0)->Arg(1)->Arg(8)->Arg(64)->UseRealTime()->MeasureProcessCPUTime()->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace paddock
