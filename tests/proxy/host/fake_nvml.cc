// A stand-in for libnvidia-ml.so.1. FAKE_NVML in the environment says how it behaves, as "name=value" with ';' between:
// a function's name and the error it returns ("nvmlInit_v2=18"), or hang, gpus, driver, cuda, name, brand, cc.
//
// Built three times: whole; with FAKE_NVML_OLD only what the oldest drivers have; with FAKE_NVML_EMPTY nothing.
#ifndef FAKE_NVML_EMPTY

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

namespace {

std::string setting(const std::string& name, const std::string& otherwise) {
  const char* set = std::getenv("FAKE_NVML");
  const std::string all = std::string(";") + (set != nullptr ? set : "") + ";";
  const auto at = all.find(";" + name + "=");
  if (at == std::string::npos) return otherwise;
  const auto from = at + name.size() + 2;
  return all.substr(from, all.find(';', from) - from);
}

int status(const char* function) { return std::atoi(setting(function, "0").c_str()); }

// As NVML does: what does not fit is an error.
int put(const char* function, const std::string& text, char* out, unsigned size) {
  if (const int error = status(function)) return error;
  if (text.size() >= size) return 7;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return 0;
}

[[maybe_unused]] int device_number(void* device) { return static_cast<int>(reinterpret_cast<std::size_t>(device)) - 1; }

}  // namespace

extern "C" {

#ifdef FAKE_NVML_OLD
int nvmlInit() { return status("nvmlInit"); }
int nvmlDeviceGetCount(unsigned* count) {
  *count = 1;
  return 0;
}
int nvmlDeviceGetHandleByIndex(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::size_t>(index) + 1);
  return 0;
}
#else
int nvmlInit_v2() {
  if (setting("hang", "") == "1") {
    for (;;) ::pause();
  }
  return status("nvmlInit_v2");
}
const char* nvmlErrorString(int error) { return error == 18 ? "Driver/library version mismatch" : "An error\n"; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(std::atoi(setting("gpus", "2").c_str()));
  return status("nvmlDeviceGetCount_v2");
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(static_cast<std::size_t>(index) + 1);
  return status("nvmlDeviceGetHandleByIndex_v2");
}
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = std::atoi(setting("cuda", "13000").c_str());
  return status("nvmlSystemGetCudaDriverVersion_v2");
}
int nvmlDeviceGetUUID(void* device, char* out, unsigned size) {
  return put("nvmlDeviceGetUUID", "GPU-" + std::to_string(device_number(device)), out, size);
}
int nvmlDeviceGetCudaComputeCapability(void*, int* major, int* minor) {
  const int both = std::atoi(setting("cc", "90").c_str());
  *major = both / 10;
  *minor = both % 10;
  return status("nvmlDeviceGetCudaComputeCapability");
}
int nvmlDeviceGetBrand(void*, unsigned* brand) {
  *brand = static_cast<unsigned>(std::atoi(setting("brand", "14").c_str()));
  return status("nvmlDeviceGetBrand");
}
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  *current = device_number(device) == 1 ? 1 : 0;
  *pending = 0;
  return status("nvmlDeviceGetMigMode");
}
#endif

int nvmlShutdown() {
  if (const char* path = std::getenv("FAKE_NVML_SHUTDOWN")) {
    if (auto* file = std::fopen(path, "w")) std::fclose(file);
  }
  return 0;
}
int nvmlSystemGetDriverVersion(char* out, unsigned size) {
  return put("nvmlSystemGetDriverVersion", setting("driver", "580.159.04"), out, size);
}
int nvmlDeviceGetName(void*, char* out, unsigned size) {
  return put("nvmlDeviceGetName", setting("name", "NVIDIA H200"), out, size);
}

}  // extern "C"

#endif
