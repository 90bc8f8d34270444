#include "proxy/upstream/answers.h"

#include <catch2/catch.hpp>

namespace paddock {
namespace {

TEST_CASE("types are compared bare") {
  CHECK(bare_media_type("Application/JSON ; charset=utf-8") == "application/json");
  CHECK(bare_media_type("") == "");
  CHECK(is_generic_type(bare_media_type("text/plain; charset=utf-8")));
  CHECK(is_generic_type(""));
  CHECK_FALSE(is_generic_type("text/html"));
}

TEST_CASE("the first error of a body is told, of registries and of object storage") {
  CHECK(error_detail(R"({"errors":[{"code":"DENIED","message":"no"},{"code":"X","message":"y"}]})") == "DENIED: no");
  CHECK(error_detail(R"({"errors":[{"code":"DENIED"}]})") == "DENIED");
  CHECK(error_detail(R"({"code":"AccessDenied","message":"Access Denied."})") == "AccessDenied: Access Denied.");
  for (const auto* body : {"", "<html>", "[]", "{}", R"({"errors":[]})", R"({"errors":[5]})", R"({"errors":{"a":1}})",
                           R"({"errors":[{"code":5,"message":null}]})"}) {
    CAPTURE(body);
    CHECK(error_detail(body).empty());
  }
}

TEST_CASE("what an upstream says of an error cannot harm a log") {
  const auto detail = error_detail("{\"errors\":[{\"code\":\"A\",\"message\":\"x\\u001b[31m\\r\\nforged line " +
                                   std::string(5000, 'y') + "\"}]}");
  CHECK(detail.size() <= 600);
  for (const char c : detail) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(error_detail(std::string(100'000, '[')).empty());
}

TEST_CASE("each status has one meaning") {
  struct Case {
    int status;
    ErrorCode code;
    bool retryable;
  };
  const Case cases[] = {
      {401, ErrorCode::unauthorized, false}, {403, ErrorCode::denied, false},     {451, ErrorCode::denied, false},
      {404, ErrorCode::not_found, false},    {408, ErrorCode::unavailable, true}, {429, ErrorCode::rate_limited, true},
      {500, ErrorCode::unavailable, true},   {503, ErrorCode::unavailable, true}, {400, ErrorCode::protocol, false},
      {416, ErrorCode::protocol, false},     {418, ErrorCode::protocol, false},   {204, ErrorCode::protocol, false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.status);
    const auto error = status_error(c.status, "detail", std::chrono::seconds(7));
    CHECK(error.code == c.code);
    CHECK(error.retryable == c.retryable);
    CHECK(error.blame == Blame::upstream);
    CHECK(error.context.find(std::to_string(c.status)) != std::string::npos);
    CHECK(error.context.find("detail") != std::string::npos);
    CHECK(error.retry_after == std::chrono::seconds(7));
  }
}

bool next(std::initializer_list<std::string_view> fields) {
  const std::vector<std::string_view> all(fields);
  return next_link(all).has_value();
}

TEST_CASE("a next page is announced by a Link with rel=next") {
  CHECK(next({R"(</v2/a/tags/list?n=2&last=b>; rel="next")"}));
  CHECK(next({R"(</x>; rel=next)"}));
  CHECK(next({R"(</x>;rel="prev next")"}));
  CHECK(next({R"(</x>; title="t"; REL="Next")"}));
  CHECK(next({R"(</p>; rel="prev", </x>; rel="next")"}));
  CHECK(next({R"(</p>; rel="prev")", R"(</x>; rel="next")"}));
  CHECK(next({R"(</a,b>; rel="next")"}));
  CHECK_FALSE(next({}));
  CHECK_FALSE(next({""}));
  CHECK_FALSE(next({R"(</next>; rel="prev")"}));
  CHECK_FALSE(next({R"(</x>; rel="nextish")"}));
  CHECK_FALSE(next({R"(</x>; title="rel=next")"}));
  CHECK_FALSE(next({R"(rel="next")"}));
  CHECK_FALSE(next({"<"}));
}

TEST_CASE("the target of the link to the next page is what stands in its brackets") {
  const std::vector<std::string_view> fields{R"(</p?n=1>; rel="prev", </v2/x?n=2&last=b>; rel="next")"};
  CHECK(next_link(fields) == "/v2/x?n=2&last=b");
}

TEST_CASE("of a link only the query is followed") {
  CHECK(query_of("/v2/x?n=2&last=b") == "?n=2&last=b");
  CHECK(query_of("https://elsewhere.example/v2/x?token=a%20b#part") == "?token=a%20b");
  CHECK(query_of("?a") == "?a");
  for (const auto& link :
       {std::string("/v2/x"), std::string("/v2/x?"), std::string(), std::string("#?a"), std::string("/x?a b"),
        std::string("/x?a\r\nHost: evil"), std::string("/x?\xc3\xa4"), "/x?" + std::string(3000, 'a')}) {
    CAPTURE(link);
    const auto query = query_of(link);
    REQUIRE_FALSE(query);
    CHECK(query.error().code == ErrorCode::protocol);
  }
}

TEST_CASE("indexes in pages are joined, one alone stays as it is") {
  const std::vector<std::string> alone{R"({ "manifests" : [ 1 ] })"};
  CHECK(join_indexes(alone) == alone.front());
  const std::vector<std::string> pages{R"({"schemaVersion":2,"manifests":null})", R"({"manifests":[{"a":1},{"b":2}]})",
                                       R"({"manifests":null})", R"({"manifests":[{"c":3}],"schemaVersion":2})"};
  CHECK(join_indexes(pages) == R"({"manifests":[{"a":1},{"b":2},{"c":3}],"schemaVersion":2})");
}

TEST_CASE("only the digest of nothing may be said to have no bytes") {
  for (const auto algorithm : {Digest::Algorithm::sha256, Digest::Algorithm::sha512}) {
    CHECK(check_blob_size(Digest::of("", algorithm), 0));
    CHECK(check_blob_size(Digest::of("a", algorithm), 1));
    const auto lie = check_blob_size(Digest::of("a", algorithm), 0);
    REQUIRE_FALSE(lie);
    CHECK(lie.error().code == ErrorCode::protocol);
    CHECK(lie.error().blame == Blame::upstream);
  }
}

TEST_CASE("a page of tags is read, limited, and never goes in circles") {
  const auto page = parse_tag_page(R"({"name":"a","tags":["a","b","c"]})", false, 10, "");
  REQUIRE(page);
  CHECK(page->tags == std::vector<std::string>{"a", "b", "c"});
  CHECK_FALSE(page->more);

  CHECK(parse_tag_page(R"({"name":"a","tags":null})", false, 10, "")->tags.empty());
  CHECK(parse_tag_page(R"({"tags":[]})", true, 10, "")->more);

  const auto limited = parse_tag_page(R"({"tags":["a","b","c"]})", false, 2, "");
  CHECK(limited->tags == std::vector<std::string>{"a", "b"});
  CHECK(limited->more);

  const auto ignoring_last = parse_tag_page(R"({"tags":["a","b","c"]})", false, 2, "b");
  CHECK(ignoring_last->tags == std::vector<std::string>{"c"});
  CHECK_FALSE(ignoring_last->more);
}

TEST_CASE("tags of a registry that sorts nothing and ignores what it is asked come sorted, each once, page by page") {
  const auto* const body = R"({"tags":["d","B","a","c","a-1"]})";
  std::vector<std::string> all;
  for (bool more = true; more;) {
    const auto page = parse_tag_page(body, false, 2, all.empty() ? "" : all.back());
    REQUIRE(page);
    all.insert(all.end(), page->tags.begin(), page->tags.end());
    more = page->more;
    REQUIRE(all.size() <= 5);
  }
  CHECK(all == std::vector<std::string>{"B", "a", "a-1", "c", "d"});
  // Where the registry makes the pages, the last tag of each is its own.
  CHECK(parse_tag_page(body, true, 5, "")->tags.back() == "a-1");
}

TEST_CASE("what is no list of tags is a protocol error") {
  for (const auto* body : {"", "<html>", "[]", "{}", R"({"tags":"a"})", R"({"tags":[1]})", R"({"tags":["a b"]})",
                           R"({"tags":["../etc"]})", R"({"tags":{"a":1}})", R"({"tags":[""]})"}) {
    CAPTURE(body);
    const auto page = parse_tag_page(body, false, 10, "");
    REQUIRE_FALSE(page);
    CHECK(page.error().code == ErrorCode::protocol);
  }
}

TEST_CASE("referrers are an image index or nothing") {
  const std::string index =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
  CHECK(check_index(index, "application/vnd.oci.image.index.v1+json"));
  CHECK(check_index(index, "application/json"));
  CHECK_FALSE(check_index("<html>", "text/html"));
  CHECK_FALSE(check_index("{}", "application/json"));
  CHECK_FALSE(check_index(R"({"tags":[]})", "application/json"));
}

TEST_CASE("the tag of referrers is made from the digest") {
  const auto short_one = Digest::of("x");
  CHECK(referrers_tag(short_one) == "sha256-" + short_one.hex());
  const auto long_one = Digest::of("x", Digest::Algorithm::sha512);
  CHECK(referrers_tag(long_one) == "sha512-" + long_one.hex().substr(0, 64));
}

TEST_CASE("only a valid digest in the header counts, and codings are noticed") {
  const auto digest = Digest::of("x");
  CHECK(content_digest({{"docker-content-digest", digest.to_string()}}) == digest);
  CHECK_FALSE(content_digest({{"Docker-Content-Digest", "sha256:short"}}));
  CHECK_FALSE(content_digest({}));
  CHECK(is_encoded({{"Content-Encoding", "gzip"}}));
  CHECK_FALSE(is_encoded({{"Content-Encoding", "Identity"}}));
  CHECK_FALSE(is_encoded({}));
}

}  // namespace
}  // namespace paddock
