#include "foundation/codec/imap/uid_set.h"

#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::imap {

namespace {
constexpr std::size_t k_text_bytes_max = 7000;
}

Result<UidSet> UidSet::of(std::vector<Uid> uids) {
    std::ranges::sort(uids);
    const auto doubles = std::ranges::unique(uids);
    uids.erase(doubles.begin(), doubles.end());
    if (uids.empty() || uids.front() == 0) return fail(ImapError::bad_argument, "uid set");

    UidSet set;
    for (std::size_t i = 0; i < uids.size();) {
        std::size_t last = i;
        while (last + 1 < uids.size() && uids[last + 1] == uids[last] + 1) {
            ++last;
        }
        if (!set.text_.empty()) set.text_ += ',';
        set.text_ += std::to_string(uids[i]);
        if (last > i) set.text_ += ':' + std::to_string(uids[last]);
        if (set.text_.size() > k_text_bytes_max) {
            return fail(ImapError::argument_too_long, "uid set");
        }
        i = last + 1;
    }
    set.uids_ = std::move(uids);
    return set;
}

bool UidSet::contains(Uid uid) const noexcept {
    return std::ranges::binary_search(uids_, uid);
}

}  // namespace postern::imap
