// LruCache: a map of bounded weight that forgets what was used least recently.
//
// Not thread-safe: its owner guards it. A weight is in the owner's units (bytes, entries).
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace paddock {

template <typename Key, typename Value, typename Hash = std::hash<Key>>
class LruCache {
 public:
  explicit LruCache(std::size_t capacity) : capacity_(capacity) {}

  // Counts as a use. The pointer is good until the next call that is not const.
  Value* find(const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second.place);
    return &found->second.value;
  }
  // Not a use.
  Value* peek(const Key& key) {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second.value;
  }
  // Replaces. One that is heavier than all that may be kept is not kept.
  void put(const Key& key, Value value, std::size_t weight = 1) {
    erase(key);
    if (weight > capacity_) return;
    Order place(1);
    const auto entry = entries_.emplace(key, Entry{std::move(value), weight, place.begin()}).first;
    place.front() = &entry->first;
    order_.splice(order_.begin(), place);
    weight_ += weight;
    while (weight_ > capacity_) drop(entries_.find(*order_.back()));
  }
  void erase(const Key& key) {
    if (const auto found = entries_.find(key); found != entries_.end()) drop(found);
  }
  // All that it has, in constant time; `other` is empty.
  void give_to(LruCache& other) {
    entries_.swap(other.entries_);
    order_.swap(other.order_);
    std::swap(weight_, other.weight_);
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t weight() const { return weight_; }

 private:
  using Order = std::list<const Key*>;
  struct Entry {
    Value value;
    std::size_t weight;
    typename Order::iterator place;
  };
  using Entries = std::unordered_map<Key, Entry, Hash>;

  void drop(typename Entries::iterator entry) {
    weight_ -= entry->second.weight;
    order_.erase(entry->second.place);
    entries_.erase(entry);
  }

  const std::size_t capacity_;
  std::size_t weight_ = 0;
  Order order_;  // the last used one first
  Entries entries_;
};

}  // namespace paddock
