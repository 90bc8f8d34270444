#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <csignal>
#include <spdlog/spdlog.h>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // as proxy/main.cc does
  // Made before there are threads: ThreadSanitizer does not see how the library guards that.
  (void)spdlog::default_logger_raw();
  return Catch::Session().run(argc, argv);
}
