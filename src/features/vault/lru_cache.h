#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <utility>

namespace postern::vault {

/// The most recently used values by key, at most `capacity` of them. Ordered, not hashed: keys come
/// from outside, and none of them may make a look-up slow.
template <typename Key, typename T>
class LruCache {
public:
    explicit LruCache(std::size_t capacity) : capacity_(capacity) {}

    /// Null where there is none. Lifetime: until the next change of the cache.
    T* find(const Key& key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return nullptr;
        items_.splice(items_.begin(), items_, found->second);
        return &found->second->second;
    }

    void put(const Key& key, T value) {
        erase(key);
        items_.emplace_front(key, std::move(value));
        places_.emplace(key, items_.begin());
        if (items_.size() <= capacity_) return;
        places_.erase(items_.back().first);
        items_.pop_back();
    }

    void erase(const Key& key) {
        const auto found = places_.find(key);
        if (found == places_.end()) return;
        items_.erase(found->second);
        places_.erase(found);
    }

    void clear() {
        places_.clear();
        items_.clear();
    }

    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

private:
    using Items = std::list<std::pair<Key, T>>;

    std::size_t capacity_;
    Items items_;
    std::map<Key, typename Items::iterator> places_;
};

}  // namespace postern::vault
