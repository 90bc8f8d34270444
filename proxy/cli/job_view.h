// How a warm-up looks: a job's or a plan's JSON as text for people. Pure; thread-safe; hostile text is made harmless.
#pragma once

#include <string>
#include <vector>

#include "proxy/cli/json_view.h"

namespace paddock {

// Exit status of who waited for it: all images are there.
bool is_complete(const JsonView& job);
bool is_over(const JsonView& job);

// "42%, 3.1 GiB of 7.4 GiB, 85.0 MiB/s, 48s left; 1 of 3 images complete", or what it does instead.
std::string progress_line(const JsonView& job);
// A bar for each image that is on its way and one for the whole, none wider than `width`; at most `most` lines.
std::vector<std::string> progress_bars(const JsonView& job, std::size_t width, std::size_t most);
// "registry.example/a/b:1: no such tag; nearest: 1.0, 1.1" for each image that could not be had.
std::vector<std::string> failures(const JsonView& job);
std::string describe_plan(const JsonView& plan);
std::string describe_job(const JsonView& job);
std::string describe_jobs(const JsonView& answer);

}  // namespace paddock
