// Crowd: clients that all pull one image at once, each the manifest by its tag and then every blob that it names, over
// a few keep-alive connections. IdleCrowd: connections that have asked once and then only stay.
//
// One thread. An error ends the client that met it, none of the others. Nothing waits longer than the deadlines say.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/load/link.h"

namespace paddock::load {

struct Plan {
  std::size_t clients = 1;
  std::size_t parallel = 3;  // connections of one client
  std::string range;         // of each blob, "FIRST-LAST"; empty: whole blobs
  std::string tag;
  std::chrono::seconds stall{120};     // longest without a byte on a connection that waits
  std::chrono::seconds deadline{900};  // for everything
};

// Header lines with which manifests are asked for.
constexpr auto accept_manifests =
    "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json\r\n";

struct Outcome {
  std::uint64_t bytes = 0;  // of bodies
  double seconds = 0;
  std::uint64_t requests = 0;
  std::vector<std::string> errors;
  std::vector<double> first_bytes;  // seconds, of blobs
};

Outcome pull(const Target& target, SSL_CTX* tls, const Plan& plan);

// Connections that have each fetched the manifest once.
class IdleCrowd {
 public:
  IdleCrowd(const Target& target, SSL_CTX* tls, const Plan& plan);
  [[nodiscard]] const Outcome& outcome() const { return outcome_; }
  [[nodiscard]] std::size_t open() const;

 private:
  std::vector<std::unique_ptr<Link>> links_;
  Outcome outcome_;
};

}  // namespace paddock::load
