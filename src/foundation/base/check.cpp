#include "foundation/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace postern {

void abort_on_failed_check(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "check failed: %s (%s:%d)\n", expression, file, line);
    std::abort();
}

void throw_on_failed_invariant(const char* expression, const char* file, int line) {
    throw InternalBug(std::string(expression) + " (" + file + ":" + std::to_string(line) + ")");
}

}  // namespace postern
