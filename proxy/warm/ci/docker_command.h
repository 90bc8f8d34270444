// What of a command line is an image: docker, podman, nerdctl, nvidia-docker, crictl and paddock itself. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paddock::ci {

struct ImageWords {
  std::vector<std::size_t> pulled;  // indices of words that name images which the command needs
  std::vector<std::size_t> made;    // of words that name what it makes
};

// The index of the word that is a container engine's command, if the line calls one ("sudo docker", "retry 3 docker").
// `among_prose`: only where nothing but sudo and its like stands before it.
std::optional<std::size_t> find_engine(std::span<const std::string> words, bool among_prose = false);
// Whether the words are text for a person, and no command.
bool is_said(std::span<const std::string> words);
// `words` begins with the engine.
ImageWords image_words(std::span<const std::string> words);

}  // namespace paddock::ci
