#include "proxy/warm/image_pattern.h"

#include <algorithm>

#include "proxy/ingress/upstream_selector.h"
#include "proxy/oci/printable.h"

namespace paddock {
namespace {

bool has_star(std::string_view text) { return text.find('*') != std::string_view::npos; }

std::unexpected<Error> invalid(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid_argument, Blame::client,
              "invalid image pattern " + quote(text, 120) + ": " + std::string(why));
}

}  // namespace

Result<ImagePattern> ImagePattern::parse(std::string_view text, std::string_view default_registry) {
  if (text.find_first_of("?[{\\") != std::string_view::npos) {
    return invalid(text, "of wildcards only '*' and '**' are known");
  }
  // A letter in place of each star leaves a reference of the same shape.
  std::string plain(text);
  std::ranges::replace(plain, '*', 'x');
  const auto parsed = parse_image_reference(plain);
  if (!parsed) return invalid(text, parsed.error().context);

  ImagePattern pattern{
      std::string(text), parsed->registry.value_or(std::string(default_registry)), {}, {}, parsed->digest};
  const std::size_t registry_size = parsed->registry ? parsed->registry->size() + 1 : 0;
  if (has_star(text.substr(0, registry_size))) return invalid(text, "a registry is named in full, without '*'");
  pattern.repository = text.substr(registry_size, parsed->repository.size());
  if (parsed->tag) {
    pattern.tag = text.substr(registry_size + pattern.repository.size() + 1, parsed->tag->size());
  } else if (!parsed->digest) {
    pattern.tag = "*";
  }
  if (pattern.digest && (has_star(pattern.repository) || has_star(pattern.tag))) {
    return invalid(text, "with a digest it names one image, without '*'");
  }
  // Docker Hub keeps its official images there; people leave it out.
  if (pattern.registry == "docker.io" && pattern.repository.find('/') == std::string::npos &&
      pattern.repository.find("**") == std::string::npos) {
    pattern.repository.insert(0, "library/");
  }
  return pattern;
}

bool ImagePattern::is_fixed() const { return names_one_repository() && !has_star(tag); }

bool ImagePattern::names_one_repository() const { return !has_star(repository); }

bool ImagePattern::matches_repository(std::string_view a_registry, std::string_view a_repository) const {
  return registry == a_registry && glob_match(repository, a_repository);
}

bool ImagePattern::matches_tag(std::string_view a_tag) const { return glob_match(tag, a_tag); }

ImageReference ImagePattern::reference() const {
  return {registry, repository, tag.empty() ? std::nullopt : std::optional(tag), digest};
}

}  // namespace paddock
