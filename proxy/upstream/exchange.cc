#include "proxy/upstream/exchange.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "proxy/upstream/answers.h"

namespace paddock {
namespace {

constexpr std::size_t refusal_limit = std::size_t{16} * 1024;
constexpr int fresh_links = 2;

std::chrono::milliseconds until(SteadyTime deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
}

Task<void> sleep(std::chrono::milliseconds delay) {
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// A link of object storage that is no longer good. HEAD is another matter: such links are often good for GET only.
bool link_expired(const UpstreamAnswer& answer, Method method) {
  return answer.redirected && method != Method::head && (answer.status() == 401 || answer.status() == 403);
}

bool gives_bytes(int status) { return status == 200 || status == 206; }

std::optional<AuthChallenge> challenge_of(const ClientResponse& response) {
  return choose_challenge(parse_challenges(response.headers().all("WWW-Authenticate")));
}

}  // namespace

Exchange::Exchange(std::shared_ptr<const UpstreamOptions> options, HttpClient& client, const Clock& clock,
                   UpstreamObserver observer)
    : options_(std::move(options)),
      client_(client),
      clock_(clock),
      observer_(std::move(observer)),
      authenticator_(std::make_shared<Authenticator>(options_, client, clock)),
      links_(clock) {}

Task<Result<UpstreamAnswer>> Exchange::ask(UpstreamQuestion question, Effort effort) {
  if (question.keep_link) {
    if (auto answer = co_await ask_link(question, effort)) co_return *std::move(answer);
  }
  RetryPolicy policy = options_->retry;
  policy.attempts = effort.attempts;
  int links = 0;
  for (std::size_t number = 1;;) {
    auto answer = co_await ask_once(question, effort);
    const bool expired = answer && link_expired(*answer, question.method);
    if (answer && !expired && !is_retryable_status(answer->status())) co_return answer;
    Error error = answer ? co_await refusal(*answer, effort.deadline) : std::move(answer).error();
    if (expired && links++ < fresh_links && until(effort.deadline).count() > 0) continue;
    if (expired) co_return std::unexpected(std::move(error));
    const FailedAttempt failed{number++, error.retryable, error.retry_after, until(effort.deadline)};
    const auto delay = retry_delay(policy, failed, random());
    if (!delay) co_return std::unexpected(std::move(error));
    co_await sleep(*delay);
  }
}

Task<std::optional<UpstreamAnswer>> Exchange::ask_link(UpstreamQuestion question, Effort effort) {
  const auto link = links_.find(effort.endpoint, question.target);
  if (!link) co_return std::nullopt;
  // The registry is to have time too.
  const auto now = std::chrono::steady_clock::now();
  effort.deadline = now + (effort.deadline - now) / 2;
  const std::string no_credentials;
  auto response = co_await send(question, link->step, no_credentials, effort);
  if (!response || !gives_bytes((*response)->status())) {
    links_.forget(*link);
    co_return std::nullopt;
  }
  const Url& endpoint = options_->endpoints[effort.endpoint];
  co_return UpstreamAnswer{*std::move(response), endpoint.authority(), !link->step.url.same_origin(endpoint), link};
}

void Exchange::forget_link(const UpstreamAnswer& answer) {
  if (answer.link) links_.forget(*answer.link);
}

Task<Result<UpstreamAnswer>> Exchange::ask_once(UpstreamQuestion question, Effort effort) {
  const Url endpoint = options_->endpoints[effort.endpoint];
  std::string prefix = endpoint.target.substr(0, endpoint.target.find_first_of("?#"));
  while (prefix.ends_with('/')) prefix.pop_back();
  RedirectStep step{.url = endpoint.with_target(prefix + question.target)};
  auto credential = co_await authenticator_->prepare(endpoint, question.repository, effort.deadline);
  for (;;) {
    if (!credential) co_return std::unexpected(std::move(credential).error());
    auto response = co_await send(question, step, credential->header, effort);
    if (!response) co_return std::unexpected(std::move(response).error());
    UpstreamAnswer answer{*std::move(response), endpoint.authority(), !step.url.same_origin(endpoint)};
    const bool refused =
        answer.status() == 401 || (answer.status() == 403 && may_have_expired(*credential, clock_.now()));
    if (refused && step.authorized) {
      auto challenge = challenge_of(*answer.response);
      // Read to its end, so that the connection can be used again.
      (void)co_await body(answer, refusal_limit, effort.deadline);
      credential = co_await authenticator_->answer(endpoint, question.repository, std::move(challenge), *credential,
                                                   effort.deadline);
      continue;
    }
    if (question.keep_link && gives_bytes(answer.status())) {
      answer.link = links_.keep(effort.endpoint, question.target, step);
    }
    if (!is_redirect(answer.status())) co_return answer;
    auto next = decide_redirect(endpoint, step, answer.response->headers().get("Location"), options_->redirects);
    if (!next) co_return std::unexpected(std::move(next).error());
    (void)co_await body(answer, refusal_limit, effort.deadline);
    step = *std::move(next);
  }
}

ClientRequest Exchange::make_request(const UpstreamQuestion& question, const RedirectStep& step,
                                     const std::string& authorization, const Effort& effort) const {
  const auto left = until(effort.deadline);
  ClientRequest request;
  request.method = question.method;
  request.url = step.url;
  request.headers = question.headers;
  request.headers.set("Accept-Encoding", "identity");
  if (step.authorized && !authorization.empty()) request.headers.set("Authorization", authorization);
  request.proxy = options_->proxy.proxy_for(step.url);
  request.tls = options_->tls;
  request.addresses = options_->addresses;
  request.public_addresses_only = step.public_addresses_only;
  request.deadlines = options_->deadlines;
  request.deadlines.connect = std::min(request.deadlines.connect, left);
  request.deadlines.headers = std::min(request.deadlines.headers, left);
  if (effort.whole) request.deadlines.stall = std::min(request.deadlines.stall, left);
  return request;
}

Task<Result<std::unique_ptr<ClientResponse>>> Exchange::send(const UpstreamQuestion& question, const RedirectStep& step,
                                                             const std::string& authorization, const Effort& effort) {
  if (until(effort.deadline).count() <= 0) {
    co_return fail(ErrorCode::timeout, Blame::upstream, "no answer in the time given", true);
  }
  auto response = co_await client_.send(make_request(question, step, authorization, effort));
  if (observer_.on_request) {
    const std::string endpoint = options_->endpoints[effort.endpoint].authority();
    observer_.on_request(options_->name, response ? (*response)->status() : 0, endpoint);
  }
  if (!response) {
    Error error = std::move(response).error();
    error.retryable = error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout;
    co_return std::unexpected(std::move(error));
  }
  co_return response;
}

Task<Result<std::string>> Exchange::body(UpstreamAnswer& answer, std::size_t limit, SteadyTime deadline) {
  const auto too_large = [limit] {
    return fail(ErrorCode::too_large, Blame::upstream, "the answer is larger than " + std::to_string(limit) + " bytes");
  };
  if (answer.response->content_length().value_or(0) > limit) co_return too_large();
  std::string text;
  std::string piece(std::size_t{16} * 1024, '\0');
  for (;;) {
    auto got = co_await answer.response->read(std::as_writable_bytes(std::span(piece)));
    if (!got) co_return std::unexpected(std::move(got).error());
    if (*got == 0) co_return text;
    count_bytes(answer.endpoint, *got);
    if (*got > limit - text.size()) co_return too_large();
    text.append(piece, 0, *got);
    // The client's own deadline is for silence; a byte now and then must not get around the whole's.
    if (until(deadline).count() <= 0) {
      co_return fail(ErrorCode::timeout, Blame::upstream, "the answer did not end in the time given", true);
    }
  }
}

Task<Error> Exchange::refusal(UpstreamAnswer& answer, SteadyTime deadline) {
  const auto text = co_await body(answer, refusal_limit, deadline);
  const auto after = answer.response->headers().get("Retry-After");
  Error error = status_error(answer.status(), text ? error_detail(*text) : std::string(),
                             after ? parse_retry_after(*after, clock_.wall()) : std::nullopt);
  if (answer.redirected && (answer.status() == 401 || answer.status() == 403)) {
    // The link is no good; that says nothing about the blob, nor about our rights to it.
    error.code = ErrorCode::unavailable;
    error.retryable = true;
  }
  co_return std::move(error).with(answer.redirected ? "storage of " + answer.endpoint : answer.endpoint);
}

void Exchange::count_bytes(const std::string& endpoint, std::uint64_t bytes) const {
  if (observer_.on_bytes) observer_.on_bytes(options_->name, endpoint, bytes);
}

double Exchange::random() const { return options_->random ? options_->random() : jitter(); }

}  // namespace paddock
