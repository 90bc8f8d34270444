#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <csignal>
#include <spdlog/spdlog.h>
#include <string>

namespace {

// ctest gives each test's name as a filter and takes ';' and '[' apart; '~' in front means all others. Such a test
// would pass without having run.
bool is_misread(const std::string& name) {
  return name.starts_with('~') || name.find_first_of(";[]\\*\"") != std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // as proxy/main.cc does
  // Made before there are threads: ThreadSanitizer does not see how the library guards that.
  (void)spdlog::default_logger_raw();
  for (const auto& test : Catch::getRegistryHub().getTestCaseRegistry().getAllTests()) {
    if (!is_misread(test.name)) continue;
    Catch::cerr() << "the test's name cannot be given to ctest: " << test.name << '\n';
    return 2;
  }
  return Catch::Session().run(argc, argv);
}
