#include "proxy/host/nvml.h"

#include <algorithm>
#include <array>
#include <dlfcn.h>
#include <string_view>
#include <utility>

#include "proxy/oci/printable.h"

namespace paddock {
namespace {

// NVML's binary interface, https://docs.nvidia.com/deploy/nvml-api: every function returns 0 or an error.
using Status = int;
using Device = void*;
constexpr Status success = 0;
constexpr Status no_permission = 4;
constexpr Status driver_not_loaded = 9;
constexpr Status version_mismatch = 18;
constexpr unsigned gpus_limit = 256;

// By number.
constexpr std::array<std::string_view, 17> brands{
    "unknown",   "quadro",      "tesla",     "nvs",        "grid",      "geforce",
    "titan",     "nvidiavapps", "nvidiavpc", "nvidiavcs",  "nvidiavws", "nvidiacloudgaming",
    "quadrortx", "nvidiartx",   "nvidia",    "geforcertx", "titanrtx"};

class Library {
 public:
  static Result<Library> open(const std::vector<std::string>& names) {
    std::string why;
    for (const auto& name : names) {
      if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return Library(handle);
      if (const char* said = ::dlerror(); said != nullptr && why.empty()) why = said;
    }
    return fail(ErrorCode::not_found, Blame::us,
                "no NVIDIA driver here (" + why + "): install it, or say which one you mean with --driver");
  }
  Library(Library&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Library& operator=(Library&&) = delete;
  // Never closed: drivers' libraries keep threads and handlers of their own.
  ~Library() = default;

  template <typename Function>
  [[nodiscard]] Function* function(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(handle_, name));
  }

 private:
  explicit Library(void* handle) : handle_(handle) {}
  void* handle_;
};

class Session {
 public:
  static Result<Session> begin(Library library) {
    Session session(std::move(library));
    auto* const init = session.find<Status()>("nvmlInit_v2", "nvmlInit");
    if (init == nullptr)
      return fail(ErrorCode::protocol, Blame::us, "libnvidia-ml.so.1 has no nvmlInit: it is not NVML");
    if (const auto status = init(); status != success) return std::unexpected(session.failure("nvmlInit", status));
    session.begun_ = true;
    return session;
  }
  Session(Session&& other) noexcept : library_(std::move(other.library_)), begun_(std::exchange(other.begun_, false)) {}
  Session& operator=(Session&&) = delete;
  ~Session() {
    if (!begun_) return;
    if (auto* shutdown = library_.function<Status()>("nvmlShutdown")) shutdown();
  }

  // A fact that an older library may not know, nor a GPU have.
  template <typename Function, typename... Arguments>
  bool ask(const char* name, Arguments... arguments) const {
    auto* function = library_.function<Function>(name);
    return function != nullptr && function(arguments...) == success;
  }

  Result<DriverVersion> driver() const {
    auto text = text_of<96>("nvmlSystemGetDriverVersion");
    if (!text) return std::unexpected(std::move(text).error());
    auto version = DriverVersion::parse(*text);
    if (!version) return fail(ErrorCode::protocol, Blame::us, "NVML: the driver's version: " + version.error().context);
    return version;
  }

  [[nodiscard]] std::optional<CudaVersion> cuda() const {
    int number = 0;
    const bool known = ask<Status(int*)>("nvmlSystemGetCudaDriverVersion_v2", &number) ||
                       ask<Status(int*)>("nvmlSystemGetCudaDriverVersion", &number);
    if (!known || number < 1000 || number > 999'999) return std::nullopt;
    return CudaVersion(static_cast<std::uint32_t>(number / 1000), static_cast<std::uint32_t>(number % 1000 / 10));
  }

  Result<std::vector<Gpu>> gpus() const {
    auto* const count_of = find<Status(unsigned*)>("nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
    auto* const handle_of =
        find<Status(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
    if (count_of == nullptr || handle_of == nullptr) {
      return fail(ErrorCode::protocol, Blame::us, "libnvidia-ml.so.1 cannot list GPUs: it is not NVML");
    }
    unsigned count = 0;
    if (const auto status = count_of(&count); status != success) {
      return std::unexpected(failure("nvmlDeviceGetCount", status));
    }
    std::vector<Gpu> found;
    for (unsigned index = 0; index < std::min(count, gpus_limit); ++index) {
      Device device = nullptr;
      Gpu gpu{.index = index};
      // One that fell off the bus or may not be seen is listed all the same.
      if (handle_of(index, &device) == success) describe(device, gpu);
      found.push_back(std::move(gpu));
    }
    return found;
  }

 private:
  explicit Session(Library library) : library_(std::move(library)) {}

  template <typename Function>
  [[nodiscard]] Function* find(const char* name, const char* older) const {
    auto* function = library_.function<Function>(name);
    return function != nullptr ? function : library_.function<Function>(older);
  }

  template <std::size_t size>
  Result<std::string> text_of(const char* name) const {
    auto* function = library_.function<Status(char*, unsigned)>(name);
    if (function == nullptr) return fail(ErrorCode::protocol, Blame::us, std::string(name) + " is missing: not NVML");
    std::array<char, size + 1> text{};
    if (const auto status = function(text.data(), size); status != success) {
      return std::unexpected(failure(name, status));
    }
    return std::string(text.data());
  }

  [[nodiscard]] std::string device_text(const char* name, Device device) const {
    constexpr unsigned size = 96;  // of names and UUIDs, version 2
    std::array<char, size + 1> text{};
    return ask<Status(Device, char*, unsigned)>(name, device, text.data(), size) ? text.data() : std::string();
  }

  void describe(Device device, Gpu& gpu) const {
    gpu.name = device_text("nvmlDeviceGetName", device);
    gpu.uuid = device_text("nvmlDeviceGetUUID", device);
    int major = 0;
    int minor = 0;
    if (ask<Status(Device, int*, int*)>("nvmlDeviceGetCudaComputeCapability", device, &major, &minor) && major > 0 &&
        major < 1000 && minor >= 0 && minor < 1000) {
      gpu.compute_capability.emplace(static_cast<std::uint32_t>(major), static_cast<std::uint32_t>(minor));
    }
    unsigned brand = 0;
    if (ask<Status(Device, unsigned*)>("nvmlDeviceGetBrand", device, &brand)) {
      gpu.brand = brands.at(brand < brands.size() ? brand : 0);
    }
    unsigned current = 0;
    unsigned pending = 0;
    if (ask<Status(Device, unsigned*, unsigned*)>("nvmlDeviceGetMigMode", device, &current, &pending)) {
      gpu.mig = current != 0;
    }
  }

  [[nodiscard]] Error failure(std::string_view doing, Status status) const {
    std::string said = "error " + std::to_string(status);
    if (auto* name_of = library_.function<const char*(Status)>("nvmlErrorString")) {
      if (const char* name = name_of(status)) said = quote(name) + " (" + std::to_string(status) + ")";
    }
    std::string remedy = "look at dmesg, and whether nvidia-smi works";
    if (status == version_mismatch) {
      remedy = "the driver was updated and its old kernel module is still loaded: restart the machine";
    }
    if (status == driver_not_loaded)
      remedy = "the kernel module is not loaded: modprobe nvidia, or restart the machine";
    if (status == no_permission) remedy = "/dev/nvidia* may not be opened: run it as root, or give access to them";
    return {ErrorCode::unavailable, Blame::us, "NVML: " + std::string(doing) + ": " + said + ": " + remedy};
  }

  Library library_;
  bool begun_ = false;
};

}  // namespace

std::vector<std::string> nvml_libraries() {
  const std::string name = "libnvidia-ml.so.1";
  std::vector<std::string> names{name};
  for (const char* folder : {"/usr/local/nvidia/lib64/", "/usr/local/nvidia/lib/", "/usr/lib/x86_64-linux-gnu/",
                             "/usr/lib/aarch64-linux-gnu/", "/usr/lib64/", "/usr/lib/", "/usr/lib/wsl/lib/",
                             "/run/nvidia/driver/usr/lib/x86_64-linux-gnu/"}) {
    names.push_back(folder + name);
  }
  return names;
}

Result<GpuHost> ask_nvml(const std::vector<std::string>& libraries) {
  auto library = Library::open(libraries);
  if (!library) return std::unexpected(std::move(library).error());
  const auto session = Session::begin(*std::move(library));
  if (!session) return std::unexpected(session.error());
  auto driver = session->driver();
  if (!driver) return std::unexpected(std::move(driver).error());
  auto gpus = session->gpus();
  if (!gpus) return std::unexpected(std::move(gpus).error());
  return GpuHost{*std::move(driver), session->cuda(), *std::move(gpus), "NVML"};
}

}  // namespace paddock
