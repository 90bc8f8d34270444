// The commented reference configuration: it must say what the program does.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "config/schema.h"
#include "config/yaml_loader.h"

using paddock::config::Config;

namespace {

const std::filesystem::path shipped = PADDOCK_SHIPPED_CONFIG;

std::string read_all(const std::filesystem::path& path) {
  std::ifstream stream(path);
  REQUIRE(stream);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// "#key: value" becomes "key: value"; prose has a blank after '#', as have lines within a mapping so disabled.
std::string enabled(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  bool inside = false;
  for (std::string line; std::getline(lines, line); out += line + '\n') {
    const std::size_t mark = line.find_first_not_of(' ');
    if (mark == std::string::npos || line[mark] != '#') {
      inside = false;
      continue;
    }
    const bool key = mark + 1 < line.size() && line[mark + 1] >= 'a' && line[mark + 1] <= 'z';
    if (!key && !(inside && line.compare(mark, 3, "#  ") == 0)) continue;
    line.erase(mark, 1);
    inside = true;
  }
  return out;
}

}  // namespace

TEST_CASE("the shipped file is the built-in defaults") {
  const auto config = paddock::config::load(shipped);
  if (!config) FAIL(config.error().context);
  CHECK(*config == Config{});
}

TEST_CASE("the shipped file with everything enabled is still the defaults, but for the examples") {
  const auto config = paddock::config::load_text(enabled(read_all(shipped)), "enabled");
  if (!config) FAIL(config.error().context);
  Config compared = *config;
  CHECK(compared.warm.size() == 2);
  compared.warm.clear();
  CHECK(compared == Config{});
}

TEST_CASE("every key there is occurs in the shipped file") {
  const std::string text = read_all(shipped);
  std::set<std::string> words;
  std::string word;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || c == '_')
      word += c;
    else {
      if (c == ':' && !word.empty()) words.insert(word);
      word.clear();
    }
  }
  Config config;
  config.warm.emplace_back();
  const paddock::config::Schema schema = paddock::config::schema_of(config);
  const auto expect = [&](const std::string& path) {
    std::istringstream parts(path);
    for (std::string part; std::getline(parts, part, '.');) {
      CAPTURE(path);
      CHECK(words.contains(part));
    }
  };
  for (const auto& field : schema.fields) expect(field.path);
  for (const auto& list : schema.lists) {
    expect(list.path);
    for (const auto& field : list.element(0)) expect(field.path);
  }
}

TEST_CASE("no mutation of the file does more than fail with a reason") {
  std::mt19937 random(20240607);
  const std::string original = enabled(read_all(shipped));
  for (int round = 0; round < 400; ++round) {
    std::string text = original;
    for (unsigned edits = 1 + random() % 6; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0) {
        text.erase(at, 1 + random() % 20);
      } else if (random() % 2 == 0) {
        text[at] = "[]{}:,&*!#|>'\"%@-? \n\t"[random() % 22];
      } else {
        text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
    }
    CAPTURE(text);
    const auto config = paddock::config::load_text(text, "mutated");
    if (!config) CHECK_FALSE(config.error().context.empty());
  }
}
