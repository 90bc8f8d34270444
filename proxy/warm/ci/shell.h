// Finds the images in shell text: the arguments of `docker run` and its like, with the script's own variables.
//
// Assignments, loops over words, arrays and ${X:-default} are followed; where branches assign differently, all values
// count. Text that another shell is given (bash -c, ssh, eval) is read too. Functions' arguments, files read and
// command output are not known. What the script builds or tags itself is reported as such. One for each script or job;
// several texts may follow each other. Single-threaded.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/warm/ci/collector.h"
#include "proxy/warm/ci/reading.h"
#include "proxy/warm/ci/shell_words.h"

namespace paddock::ci {

class ShellScanner {
 public:
  // `outer` knows the variables that the job sets; may be empty.
  ShellScanner(Collector& collector, Place place, Lookup outer)
      : collector_(collector), place_(std::move(place)), outer_(std::move(outer)) {}

  // `line`: of the text's first line. `same_line`: all of it is reported there, since its lines are not the file's.
  void scan(std::string_view text, int line, bool same_line = false);
  // Reports; to be called once, after the last text.
  void finish();

  // The text may hold prose between its commands: a line is one only when it begins like one.
  bool among_prose = false;
  // How names are written in the report: turns what stood in for them back.
  std::map<std::string, std::string> written_as;

 private:
  struct Pending {
    Place place;
    std::string written;
    Readings readings;
  };

  // The words of a command as the engine gets them: a variable may hold several, or none.
  struct Arguments {
    std::vector<std::string> texts;
    std::vector<Readings> meanings;
    std::vector<std::string> written;

    void add(std::string text, Readings meaning, const std::string& as_written);
  };

  void command(const ShellCommand& command, int line);
  bool assign(std::span<const ShellWord> words);
  void loop(std::span<const ShellWord> words);
  void run_engine(std::span<const ShellWord> words, int line);
  // Commands within a word: bash -c "...", ssh host "...", eval "...".
  void run_text(std::span<const ShellWord> words, int line);
  void argument(const ShellWord& word, Arguments& out) const;
  void set(std::string_view name, Readings readings);
  void set_from_word(const ShellWord& word);
  void set_array(const std::string& name, std::string_view value, bool more);
  Readings expand(std::string_view text) const;
  [[nodiscard]] std::string original(std::string text) const;

  Collector& collector_;
  Place place_;
  Lookup outer_;
  std::map<std::string, Readings, std::less<>> variables_;
  std::map<std::string, std::vector<Readings>, std::less<>> arrays_;  // item by item; in variables_ as values
  int branches_ = 0;                                                  // if, case, loops around the current command
  mutable ExpansionBudget budget_;
  int nesting_ = 0;  // commands in words of commands
  std::vector<Pending> pending_;
  std::set<std::string> made_;  // full references
};

// Whether any command that names images may be in it.
bool names_engine(std::string_view text);

}  // namespace paddock::ci
