#pragma once

#include "foundation/base/result.h"

#include <cstdint>
#include <string>

namespace postern::store {

/// Room on the store's disk that is kept for the moment it is full: release() it, and lock,
/// cut-off and erasure can still be written. restore() takes it back when there is room again.
/// Twice what the write-ahead log usually holds, so that it can be written back, too.
class Reserve {
public:
    struct Options {
        std::string file = "reserve";
        std::int64_t size_bytes = std::int64_t{8} << 20;
    };
    explicit Reserve(Options options);

    /// Holds the full size afterwards, or nothing. Errors: disk_full, io_failed.
    [[nodiscard]] Result<> restore();
    /// Gives the room to whoever writes next; fine when nothing was held.
    [[nodiscard]] Result<> release();
    [[nodiscard]] bool held() const;

private:
    Options options_;
};

}  // namespace postern::store
