#include "proxy/ingress/basic_credentials.h"

#include <catch2/catch.hpp>
#include <utility>

using paddock::parse_basic;

TEST_CASE("name and password come out of the header as they went in") {
  const auto [header, user, password] = GENERATE(table<std::string, std::string, std::string>({
      {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},
      {"basic dGVzdDoxMjPCow==", "test", "123\xC2\xA3"},
      {"BASIC  Y2k6YTpiOmM= ", "ci", "a:b:c"},
      {"Basic Og==", "", ""},
      {"Basic dTo=", "u", ""},
  }));
  const auto credentials = parse_basic(header);
  REQUIRE(credentials);
  CHECK(credentials->user == user);
  CHECK(credentials->password == password);
}

TEST_CASE("another scheme, and what is malformed, is nothing") {
  const auto* header =
      GENERATE("", "Basic", "Basic ", "Bearer abc", "BasicQWxh", "Basic QWxhZGRpbg==", "Basic Q",
               "Basic ====", "Basic QWxh*GRp", "Basic QW=hZGRp", "Basic QWxhZGRpbjpvcGVu\n", "Basic dTo=dTo=");
  CHECK_FALSE(parse_basic(header));
}
