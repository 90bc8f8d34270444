// What an upstream's answers mean, decided without I/O: errors, lists of tags, referrers, types.
// Pure; thread-safe. Everything in here was sent by a stranger. OCI distribution specification 1.1.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/net/http.h"
#include "proxy/upstream/upstream.h"
#include "storage/digest.h"
#include "storage/error.h"

namespace paddock {

// A Content-Type without its parameters, in lower case.
std::string bare_media_type(std::string_view content_type);
// Types that servers put on anything: none, JSON, plain text, bytes.
bool is_generic_type(std::string_view bare_type);

// The first error of an OCI error body as "CODE: message", fit for a log; empty when it is none.
std::string error_detail(std::string_view body);
// An answer that is not a success. `detail` comes from error_detail().
Error status_error(int status, std::string_view detail, std::optional<std::chrono::seconds> retry_after);

// The target of Link: <...>; rel="next" (RFC 8288), a part of `fields`.
std::optional<std::string_view> next_link(std::span<const std::string_view> fields);
// At most `limit` tags after `last`, whatever the registry makes of both. `more`: it says that other pages follow; else
// they are sorted. protocol on anything but a list of tags.
Result<TagPage> parse_tag_page(std::string_view body, bool more, std::size_t limit, std::string_view last);

// protocol unless it is an image index.
Result<void> check_index(std::string_view body, std::string_view content_type);
// The first with the manifests of all; each has passed check_index(). At least one.
std::string join_indexes(std::span<const std::string> pages);
// Of a link to the next page, with its '?': where to ask is not for a stranger to say. protocol when there is none.
Result<std::string> query_of(std::string_view link);
// Where registries without the referrers API keep the index: a tag made from the digest.
std::string referrers_tag(const Digest& digest);

// protocol when nobody has to look further to know that it is a lie: only the digest of nothing names no bytes. Such a
// size leaves no byte that could be held back until the digest is verified.
Result<void> check_blob_size(const Digest& digest, std::uint64_t size);
// The digest that an answer says it has, when it says so in earnest.
std::optional<Digest> content_digest(const Headers& headers);
// The bytes are in another coding than they were stored in, though we asked for none.
bool is_encoded(const Headers& headers);

}  // namespace paddock
