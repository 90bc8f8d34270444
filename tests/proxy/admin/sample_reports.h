// Reports with a value in every field, for tests of what shows them.
#pragma once

#include "proxy/admin/compat_list.h"
#include "proxy/admin/reports.h"
#include "tests/proxy/admin/image_builder.h"

namespace paddock::test {

inline StatusReport sample_status() {
  StatusReport status;
  status.version = "1.2.3";
  status.commit = "abcdef";
  status.started = at_second(0);
  status.uptime = std::chrono::seconds(90);
  status.data_folder = "/var/lib/paddock";
  status.listen = {"127.0.0.1:5000", "[::1]:5000"};
  status.tls = TlsReport{.why_not_kernel = "the kernel has none", .kernel_connections = 3, .openssl_connections = 1};
  status.store = {.stored = 3 << 20,
                  .reserved = 1 << 20,
                  .max_size = 10 << 20,
                  .min_free = 5,
                  .disk_total = 100 << 20,
                  .disk_available = 50 << 20,
                  .evicted = 7};
  status.upstreams = {{.name = "registry.baidubce.com",
                       .endpoints = {"https://registry.baidubce.com", "https://b.example:444"},
                       .reachable = true,
                       .is_default = true,
                       .health = {{"registry.baidubce.com", "ok", 3, 5 << 20}, {"b.example:444", "slow", 0, 1 << 20}},
                       .limits = {.connections = 32, .max_connections = 32, .bandwidth = 1000}},
                      {.name = "docker.io",
                       .endpoints = {"https://registry-1.docker.io"},
                       .reachable = false,
                       .last_error = "connect timed out",
                       .health = {{"registry-1.docker.io", "resting", 0, 0}}},
                      {.name = "quay.io", .endpoints = {"https://quay.io"}}};
  status.fills_running = 2;
  status.fills_completed = 30;
  status.fills_failed = 4;
  status.fills_not_kept = 5;
  status.fills_suspended = 6;
  status.fills_waiting = 1;
  status.traffic = {.requests = 100, .hit_bytes = 3072, .fill_bytes = 1024, .bypass_bytes = 0, .hit_ratio = 0.75};
  status.connections = 9;
  status.recovery = RecoveryReport{.rebuilt = true, .blobs = 12, .tags = 3, .duration = std::chrono::milliseconds(40)};
  return status;
}

inline ImageReport sample_image(const std::string& tag = "2.6.2") {
  const auto digest = Digest::of("manifest");
  ImageReport image{.repository = {"registry.baidubce.com", "paddlepaddle/paddle"}, .tag = tag, .digest = digest};
  image.media_type = image_type;
  image.total = 100;
  image.stored = 60;
  image.last_used = at_second(5);
  image.changed = at_second(1);
  image.pins = {{image.repository, tag, digest, at_second(100)}, {image.repository, tag, digest, {}}};
  image.platforms = {{.name = "linux/amd64", .digest = digest, .present = true, .total = 100, .stored = 60}};
  return image;
}

inline FillReport sample_fill() {
  return {Digest::of("layer"),
          "registry.baidubce.com",
          "paddlepaddle/paddle",
          "bj.bcebos.com",
          "streaming",
          1024,
          4096,
          3,
          512};
}

inline GpuHost sample_host(std::string_view driver = "470.82.01") {
  return {.driver = DriverVersion::parse(driver).value(), .source = std::string(by_hand_source)};
}

// One that runs with limits, and one of which nothing is known.
inline CompatPage sample_compat(const GpuHost& host) {
  CompatPage page{.host = host, .next = "registry.baidubce.com/paddlepaddle/paddle:old"};
  auto needs = needs_by_name(parse_tag("paddlepaddle/paddle", "2.6.2-gpu-cuda11.8"));
  page.images.push_back({.name = "registry.baidubce.com/paddlepaddle/paddle:2.6.2-gpu-cuda11.8",
                         .platform = "linux/amd64",
                         .digest = Digest::of("manifest"),
                         .needs = needs,
                         .verdict = judge(needs, host, nullptr)});
  page.images.push_back({.name = "registry.baidubce.com/paddlepaddle/paddle:old", .digest = Digest::of("old")});
  return page;
}

}  // namespace paddock::test
