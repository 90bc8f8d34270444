// Splits shell text into simple commands and their words, as far as finding images needs it: quotes, escapes, line
// continuations, comments, here-documents, command substitutions, arrays. No grammar: "if" and "done" are words.
//
// Linear in the text; nested substitutions are taken apart to a depth of 8. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paddock::ci {

struct ShellWord {
  std::string text;     // without quotes; a quoted '$' is `literal_dollar`, other variables are still in it
  bool quoted = false;  // some of it was: then blanks in its variables do not split it
  bool array = false;   // NAME=(...): text holds the words in the brackets, one a line
};

struct ShellCommand {
  std::vector<ShellWord> words;
  int line = 1;
};

// `first_line`: the number of the text's first line. Commands in $(...) come before the one that holds them.
std::vector<ShellCommand> split_shell(std::string_view text, int first_line);

}  // namespace paddock::ci
