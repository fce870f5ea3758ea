#include "foundation/crypto/evolving_key.h"

#include "foundation/base/check.h"

#include <utility>

namespace postern::crypto {
namespace {

Secret key_after(const Secret& key) {
    return derive_key(key, "postern evolving key 1");
}

Hash mac_of(const Secret& key, ByteView data) {
    return hmac(derive_key(key, "postern evolving mac 1"), data);
}

}  // namespace

Hash EvolvingKey::mac(std::uint32_t at_step, ByteView data) const {
    POSTERN_CHECK(at_step >= step_ && !key_.empty());
    if (at_step == step_) return mac_of(key_, data);
    auto key = key_after(key_);
    for (auto step = step_ + 1; step < at_step; ++step)
        key = key_after(key);
    return mac_of(key, data);
}

void EvolvingKey::move_to(std::uint32_t next_step) {
    for (; step_ < next_step; ++step_)
        key_ = key_after(key_);
}

}  // namespace postern::crypto
