#include "proxy/warm/ci/collector.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "proxy/oci/printable.h"

namespace paddock::ci {
namespace {

constexpr std::size_t text_limit = 300;  // of what is shown of a file

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, text_limit));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return out;
}

}  // namespace

std::string full_reference(const ImageReference& image) {
  ImageReference full = image;
  if (!full.registry || *full.registry == "index.docker.io" || *full.registry == "registry-1.docker.io") {
    full.registry = "docker.io";
  }
  if (*full.registry == "docker.io" && !full.repository.contains('/')) full.repository.insert(0, "library/");
  if (!full.tag && !full.digest) full.tag = "latest";
  return full.to_string();
}

bool is_image_id(std::string_view text) {
  if (text.starts_with("sha256:")) return text.size() > 7 && is_hex(text.substr(7));
  return (text.size() == 12 || text.size() == 64) && is_hex(text);
}

void Collector::images(const Place& place, std::string_view written, const Readings& readings) {
  for (const Reading& reading : readings) one(place, trimmed(written), reading);
}

void Collector::one(const Place& place, std::string_view written, const Reading& reading) {
  if (reading.unknown) return unresolved(place, written, *reading.unknown);
  std::string name(trimmed(reading.text));
  std::ranges::replace(name, literal_dollar, '$');
  if (name.starts_with("docker://")) name.erase(0, 9);
  if (name.empty() || name == "scratch") return;
  if (is_image_id(name)) {
    return unresolved(place, written,
                      {UnresolvedKind::image_id, "an image id, which means something on one machine only"});
  }
  const auto image = parse_image_reference(name);
  if (!image) {
    return unresolved(place, written, {UnresolvedKind::not_a_name, public_message(image.error().context)});
  }
  ImageFinding finding{full_reference(*image), name, shown(written), place};
  if (fresh(place, "image", finding.reference)) report_.findings.push_back(std::move(finding));
}

void Collector::unresolved(const Place& place, std::string_view written, const Unknown& unknown) {
  std::string text = shown(trimmed(written));
  std::ranges::replace(text, literal_dollar, '$');
  if (!fresh(place, to_string(unknown.kind), text + '\n' + unknown.reason)) return;
  report_.unresolved.push_back({std::move(text), unknown.kind, shown(unknown.reason), place});
}

bool Collector::fresh(const Place& place, std::string_view what, std::string_view detail) {
  if (report_.findings.size() + report_.unresolved.size() >= limit_) {
    if (!std::exchange(full_, true)) {
      problem(place.file, place.line,
              "more than " + std::to_string(limit_) + " findings; what follows is left out: scan a smaller part");
    }
    return false;
  }
  std::string key = place.file + '\n' + std::to_string(place.line) + '\n';
  key.append(what).append("\n").append(detail);
  return seen_.insert(std::move(key)).second;
}

void Collector::problem(std::string_view file, int line, std::string message) {
  if (report_.problems.size() >= limit_) return;
  std::string key = std::string(file) + '\n' + std::to_string(line) + "\nproblem\n" + message;
  if (seen_.insert(std::move(key)).second) report_.problems.push_back({std::string(file), line, std::move(message)});
}

ScanReport Collector::take() && {
  std::erase_if(report_.unresolved, [&](const Unresolved& item) {
    return item.kind == UnresolvedKind::unset_variable && answered_.contains({item.place.file, item.place.line});
  });
  std::ranges::sort(report_.findings, {}, [](const ImageFinding& item) {
    return std::tie(item.place.file, item.place.line, item.reference);
  });
  std::ranges::sort(report_.unresolved, {}, [](const Unresolved& item) {
    return std::tie(item.place.file, item.place.line, item.text, item.reason);
  });
  std::ranges::sort(report_.problems, {},
                    [](const Problem& item) { return std::tie(item.file, item.line, item.message); });
  return std::move(report_);
}

}  // namespace paddock::ci
