#include "benchmarks/load/poller.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

namespace paddock::load {

Poller::Poller(std::chrono::seconds stall, std::chrono::seconds deadline, Done done)
    : stall_(stall),
      deadline_(std::chrono::steady_clock::now() + deadline),
      done_(std::move(done)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
}

Poller::~Poller() { ::close(epoll_); }

void Poller::add(Link& link) {
  waiting_.emplace(&link, 0);
  watch(link);
}

void Poller::watch(Link& link) {
  std::uint32_t& watched = waiting_.at(&link);
  const std::uint32_t wanted = link.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  if (wanted == watched) return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = &link;
  if (::epoll_ctl(epoll_, watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, link.descriptor(), &event) != 0)
    throw std::runtime_error("epoll_ctl failed");
  watched = wanted;
}

void Poller::forget(Link& link) {
  waiting_.erase(&link);
  std::erase(again_, &link);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, link.descriptor(), nullptr);
}

void Poller::drive(Link& link) {
  if (link.drive() == Link::Step::waiting) {
    watch(link);
    if (link.holds_bytes() && std::ranges::find(again_, &link) == again_.end()) again_.push_back(&link);
    return;
  }
  forget(link);
  done_(link);
}

void Poller::drop_late() {
  const Time now = std::chrono::steady_clock::now();
  std::vector<Link*> late;
  for (const auto& [link, watched] : waiting_)
    if (now >= deadline_ || now - link->last_progress() > stall_) late.push_back(link);
  for (Link* link : late) {
    link->fail(now >= deadline_ ? "the deadline has passed" : "no byte for too long");
    forget(*link);
    done_(*link);
  }
}

void Poller::run() {
  std::array<epoll_event, 256> events{};
  Time checked = std::chrono::steady_clock::now();
  while (!waiting_.empty()) {
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), again_.empty() ? 1000 : 0);
    const auto eager = std::exchange(again_, {});
    for (int i = 0; i < count; ++i)
      if (auto* link = static_cast<Link*>(events[i].data.ptr); waiting_.contains(link)) drive(*link);
    for (Link* link : eager)
      if (waiting_.contains(link)) drive(*link);
    if (const Time now = std::chrono::steady_clock::now(); now - checked >= std::chrono::seconds(1)) {
      checked = now;
      drop_late();
    }
  }
}

}  // namespace paddock::load
