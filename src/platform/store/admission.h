#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace postern::store {

/// Counts who is inside and lets in no more than a fixed number. Any thread.
class Admission {
public:
    explicit Admission(std::size_t places_max) : places_max_(places_max) {}

    /// Held as long as one is inside; may outlive the Admission.
    class Place {
    public:
        explicit Place(std::shared_ptr<std::atomic<std::size_t>> taken)
            : taken_(std::move(taken)) {}
        ~Place() { --*taken_; }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

    private:
        std::shared_ptr<std::atomic<std::size_t>> taken_;
    };

    /// Null when all places are taken.
    [[nodiscard]] std::shared_ptr<Place> enter() {
        if (taken_->fetch_add(1) >= places_max_) {
            --*taken_;
            return nullptr;
        }
        return std::make_shared<Place>(taken_);
    }

private:
    const std::size_t places_max_;
    std::shared_ptr<std::atomic<std::size_t>> taken_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace postern::store
