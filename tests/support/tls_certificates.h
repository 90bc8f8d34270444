// TestCa: a certificate authority made on the spot, and certificates signed by it, as PEM files in a folder of its own.
// Throws when OpenSSL refuses, which only a broken test does.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace paddock {

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct CertificateWish {
  std::vector<std::string> names{};      // DNS names
  std::vector<std::string> addresses{};  // IP addresses
  long starts_in = -3600;                // seconds from now
  long ends_in = 3600;
};

class TestCa {
 public:
  TestCa();
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  [[nodiscard]] std::filesystem::path file() const;  // the CA's own certificate
  CertificateFiles issue(const CertificateWish& wish);
  // For 127.0.0.1 and localhost, valid now.
  CertificateFiles issue_local() { return issue({.names = {"localhost"}, .addresses = {"127.0.0.1"}}); }

 private:
  struct Keys;
  TemporaryFolder folder_;
  std::unique_ptr<Keys> keys_;
  int issued_ = 0;
};

}  // namespace paddock
