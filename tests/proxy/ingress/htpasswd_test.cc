#include "proxy/ingress/htpasswd.h"

#include <catch2/catch.hpp>

using paddock::ErrorCode;
using paddock::Htpasswd;

namespace {

// Of "secret", made with crypt(3).
const std::string cheap = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const std::string other = "$2b$05$ABCDEFGHIJKLMNOPQRSTUOHp/9dEMUfseM/bMxUBq.UXt1tM80DqW";
const std::string of_nothing = "$2y$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq";
const std::string of_words = "$2y$04$abcdefghijklmnopqrstuuWXKr2BvN6MFBGmbO8G1GNLW0JIJkxnC";

}  // namespace

TEST_CASE("who is in the file passes with the password, and nobody else") {
  const auto file = Htpasswd::parse("# CI\n\nci:" + cheap + "\r\nops:" + other + "  \nnone:" + of_nothing).value();
  CHECK(file.verify("ci", "secret"));
  CHECK(file.verify("ops", "secret"));
  CHECK(file.verify("none", ""));
  CHECK_FALSE(file.verify("ci", "Secret"));
  CHECK_FALSE(file.verify("ci", ""));
  CHECK_FALSE(file.verify("CI", "secret"));
  CHECK_FALSE(file.verify("", "secret"));
  CHECK_FALSE(file.verify("nobody", "secret"));
  CHECK_FALSE(file.verify("ci", std::string("secret\0x", 8)));
}

TEST_CASE("passwords are bytes, colons among them") {
  CHECK(Htpasswd::parse("ci:" + of_words)->verify("ci", "pass:w\xC3\xB6rd"));
}

TEST_CASE("a line that cannot be taken is named, with what to do") {
  struct Case {
    std::string text, said;
  };
  const auto c = GENERATE_COPY(values<Case>({
      {"", "there is no name in it"},
      {"# nobody\n", "there is no name in it"},
      {"ci\n", "line 1: want NAME:HASH"},
      {":" + cheap, "line 1: want NAME:HASH"},
      {"\nci:secret", "line 2: the password is not hashed with bcrypt"},
      {"ci:$apr1$abcdefgh$0123456789012345678901", "line 1: the password is not hashed with bcrypt"},
      {"ci:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "line 1: the password is not hashed with bcrypt"},
      {"ci:$2x$04$" + cheap.substr(7), "line 1: the password is not hashed with bcrypt"},
      {"ci:" + cheap.substr(0, 59), "line 1: the bcrypt hash is damaged"},
      {"ci:" + cheap + "x", "line 1: the bcrypt hash is damaged"},
      {"ci:" + cheap.substr(0, 59) + "*", "line 1: the bcrypt hash is damaged"},
      {"ci:" + cheap.substr(0, 28) + "v" + cheap.substr(29), "line 1: the bcrypt hash is damaged"},
      {"ci:$2y$xx" + cheap.substr(6), "line 1: the bcrypt hash is damaged"},
      {"ci:$2y$31" + cheap.substr(6), "line 1: the cost of the hash"},
      {"ci:$2y$03" + cheap.substr(6), "line 1: the cost of the hash"},
      {"ci:" + cheap + "\nci:" + other, "line 2: the name occurs twice"},
  }));
  const auto parsed = Htpasswd::parse(c.text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == ErrorCode::invalid_argument);
  CHECK(parsed.error().context.starts_with(c.said));
}
