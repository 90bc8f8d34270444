#include "proxy/host/image_needs.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "proxy/oci/strict_json.h"

namespace paddock {
namespace {

using Json = nlohmann::json;

constexpr std::size_t variables_limit = 10'000;
constexpr std::size_t name_limit = 80;  // of what is repeated to people

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_member(const Json& object, const char* key) {
  const auto* value = member(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>().substr(0, name_limit) : std::string();
}

// "NAME=value"; of a name that occurs twice the last counts.
Result<Environment> read_environment(const Json& body) {
  Environment environment;
  const auto* config = member(body, "config");
  if (config == nullptr) return environment;
  if (!config->is_object()) return fail(ErrorCode::protocol, Blame::upstream, "config is not an object");
  const auto* list = member(*config, "Env");
  if (list == nullptr) return environment;
  if (!list->is_array() || list->size() > variables_limit) {
    return fail(ErrorCode::protocol, Blame::upstream, "config.Env is not a list of variables");
  }
  for (const auto& entry : *list) {
    if (!entry.is_string()) return fail(ErrorCode::protocol, Blame::upstream, "config.Env holds what is not text");
    const auto& text = entry.get_ref<const std::string&>();
    const auto equals = text.find('=');
    if (equals != text.npos) environment.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// The first condition of the requirement, where it is "cuda>=11.8".
std::optional<CudaVersion> required_cuda(std::string_view predicate) {
  constexpr std::string_view wanted = "cuda>=";
  predicate = predicate.substr(std::min(predicate.find_first_not_of(' '), predicate.size()));
  if (!predicate.starts_with(wanted)) return std::nullopt;
  predicate.remove_prefix(wanted.size());
  auto version = CudaVersion::parse(predicate.substr(0, predicate.find_first_of(" ,")));
  return version ? std::optional(*std::move(version)) : std::nullopt;
}

// "cuda-compat-11-8", with a package's version behind it or not.
std::optional<CudaVersion> package_cuda(std::string_view package) {
  constexpr std::string_view prefix = "cuda-compat-";
  if (!package.starts_with(prefix)) return std::nullopt;
  std::string text(package.substr(prefix.size()));
  text.resize(std::min(text.find_first_not_of("0123456789-"), text.size()));
  std::ranges::replace(text, '-', '.');
  auto version = CudaVersion::parse(text);
  return version && version->size() == 2 ? std::optional(*std::move(version)) : std::nullopt;
}

bool asks_for_gpus(std::string_view devices) { return !devices.empty() && devices != "void" && devices != "none"; }

void find_cuda(const Environment& environment, ImageNeeds& needs) {
  if (auto version = CudaVersion::parse(value_of(environment, "CUDA_VERSION"))) {
    needs.cuda = *std::move(version);
    needs.cuda_source = CudaSource::config;
  } else if (auto required = required_cuda(value_of(environment, "NVIDIA_REQUIRE_CUDA"))) {
    needs.cuda = *std::move(required);
    needs.cuda_source = CudaSource::requirement;
  }
}

void find_cuda(const TagFields& name, ImageNeeds& needs) {
  if (!name.cuda) return;
  auto version = CudaVersion::parse(name.cuda->to_string());
  if (!version) return;
  needs.cuda = *std::move(version);
  needs.cuda_source = CudaSource::tag;
}

}  // namespace

std::string_view to_string(CudaSource source) {
  static constexpr std::array<std::string_view, 4> names{"none", "config", "requirement", "tag"};
  return names.at(static_cast<std::size_t>(source));
}

Result<ImageNeeds> read_image_needs(std::string_view content, const TagFields& name) {
  const auto body = parse_strict_json(content);
  if (!body) return std::unexpected(body.error().with("the image's configuration"));
  if (!body->is_object()) {
    return fail(ErrorCode::protocol, Blame::upstream, "the image's configuration is no JSON object");
  }
  const auto environment = read_environment(*body);
  if (!environment) return std::unexpected(environment.error().with("the image's configuration"));
  ImageNeeds needs;
  needs.os = text_member(*body, "os");
  needs.architecture = text_member(*body, "architecture");
  needs.compatibility_package = value_of(*environment, "NV_CUDA_COMPAT_PACKAGE").substr(0, name_limit);
  needs.compatibility = package_cuda(needs.compatibility_package);
  needs.wants_gpu = asks_for_gpus(value_of(*environment, "NVIDIA_VISIBLE_DEVICES"));
  needs.requirements = requirements_of(*environment);
  find_cuda(*environment, needs);
  if (!needs.cuda) find_cuda(name, needs);
  return needs;
}

ImageNeeds needs_by_name(const TagFields& name) {
  ImageNeeds needs;
  find_cuda(name, needs);
  return needs;
}

}  // namespace paddock
