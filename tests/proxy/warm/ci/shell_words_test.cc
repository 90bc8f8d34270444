#include "proxy/warm/ci/shell_words.h"

#include <catch2/catch.hpp>
#include <string>

namespace paddock::ci {
namespace {

// Commands as "LINE:word|word", joined by ' ; '.
std::string show(const std::string& text) {
  std::string out;
  for (const ShellCommand& command : split_shell(text, 1)) {
    if (!out.empty()) out += " ; ";
    out += std::to_string(command.line) + ":";
    for (std::size_t i = 0; i < command.words.size(); ++i) out += (i == 0 ? "" : "|") + command.words[i].text;
  }
  return out;
}

}  // namespace

TEST_CASE("commands end at lines and separators") {
  CHECK(show("a b\nc") == "1:a|b ; 2:c");
  CHECK(show("a; b && c || d | e & f") == "1:a ; 1:b ; 1:c ; 1:d ; 1:e ; 1:f");
  CHECK(show("( a b )") == "1:a|b");
  CHECK(show("").empty());
}

TEST_CASE("continued lines are one command, at its first line") {
  CHECK(show("a \\\n  b \\\n  c\nd") == "1:a|b|c ; 4:d");
  CHECK(show("a\\\nb") == "1:ab");
  CHECK(show("\n\n  x") == "3:x");
}

TEST_CASE("quotes hold words together and end expansion") {
  CHECK(show("a 'b c' \"d e\"") == "1:a|b c|d e");
  CHECK(show("'$X' \"$X\" \\$X") == "1:\x01X|$X|\x01X");
  CHECK(show("\"a\\\"b\"") == "1:a\"b");
  CHECK(show("'a\nb' c\nd") == "1:a\nb|c ; 3:d");
  CHECK(show("''") == "1:");
}

TEST_CASE("comments are no commands, but a # within a word is one of its letters") {
  CHECK(show("# a b\nc # d\ne#f") == "2:c ; 3:e#f");
}

TEST_CASE("redirections take their target away") {
  CHECK(show("a > f 2>&1 b") == "1:a|b");
  CHECK(show("a >>$F") == "1:a");
  CHECK(show("a &> f") == "1:a");
  CHECK(show("a 2>/dev/null b") == "1:a|b");
  CHECK(show("a <<< word b") == "1:a|b");
}

TEST_CASE("here-documents are skipped, unless a shell reads them") {
  CHECK(show("cat <<EOF\ndocker pull x\nEOF\nb") == "1:cat ; 4:b");
  CHECK(show("cat <<-'END' > f\n\tx\n\tEND\nb") == "1:cat ; 4:b");
  CHECK(show("bash <<EOF\nb c\nEOF\n") == "1:bash ; 2:b|c ; 3:EOF");
}

TEST_CASE("substitutions stay in the word, and their commands are split too") {
  CHECK(show("x=$(a b)") == "1:a|b ; 1:x=$(a b)");
  CHECK(show("y \"$(a \"b c\")\"") == "1:a|b c ; 1:y|$(a \"b c\")");
  CHECK(show("y `a b`") == "1:a|b ; 1:y|`a b`");
  CHECK(show("y ${A:-b c} d") == "1:y|${A:-b c}|d");
}

TEST_CASE("arrays are one word with their items") {
  const auto commands = split_shell("A=(x 'y z'\n  w) b", 1);
  REQUIRE(commands.size() == 1);
  CHECK(commands[0].words[0].array);
  CHECK(commands[0].words[0].text == "A=x\ny z\nw\n");
  CHECK(commands[0].words[1].text == "b");
}

}  // namespace paddock::ci
