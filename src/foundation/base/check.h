#pragma once

#include <stdexcept>

namespace postern {

/// A bug of ours that ends one request, not the process. Caught by the request loop, which answers
/// 500 with an incident id.
class InternalBug : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

[[noreturn]] void abort_on_failed_check(const char* expression, const char* file, int line);
[[noreturn]] void throw_on_failed_invariant(const char* expression, const char* file, int line);

}  // namespace postern

/// Always on; aborts. For key handling and storage, where going on would lose or leak.
/// Never for anything that input can cause.
#define POSTERN_CHECK(condition) \
    ((condition) ? void() : ::postern::abort_on_failed_check(#condition, __FILE__, __LINE__))

/// Always on; throws InternalBug. For a bug that should cost one request only.
#define POSTERN_INVARIANT(condition) \
    ((condition) ? void() : ::postern::throw_on_failed_invariant(#condition, __FILE__, __LINE__))
