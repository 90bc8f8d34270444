// LruCache: a map of bounded weight that forgets what was used least recently.
//
// Not thread-safe: its owner guards it. A weight is in the owner's units (bytes, entries).
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
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
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }
  // Not a use.
  Value* peek(const Key& key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->value;
  }
  // Replaces. One that is heavier than all that may be kept is not kept.
  void put(const Key& key, Value value, std::size_t weight = 1) {
    erase(key);
    if (weight > capacity_) return;
    entries_.push_front({key, std::move(value), weight});
    index_.emplace(key, entries_.begin());
    weight_ += weight;
    while (weight_ > capacity_) drop(std::prev(entries_.end()));
  }
  void erase(const Key& key) {
    if (const auto found = index_.find(key); found != index_.end()) drop(found->second);
  }
  void clear() {
    index_.clear();
    entries_.clear();
    weight_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t weight() const { return weight_; }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t weight;
  };
  using Entries = std::list<Entry>;

  void drop(typename Entries::iterator entry) {
    weight_ -= entry->weight;
    index_.erase(entry->key);
    entries_.erase(entry);
  }

  const std::size_t capacity_;
  std::size_t weight_ = 0;
  Entries entries_;  // the last used one first
  std::unordered_map<Key, typename Entries::iterator, Hash> index_;
};

}  // namespace paddock
