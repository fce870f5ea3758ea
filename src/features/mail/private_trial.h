#pragma once

#include "features/mail/mail_types.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/store/database.h"

#include <string_view>
#include <vector>

namespace postern::mail {

/// What is seen of a thread of nobody's that is one person's alone. Its rows are written, looked
/// for by what looks for all others, and rolled back in one transaction, so that nobody else ever
/// sees them. Executor: front's thread. Lifetime: the database and the clock outlive it.
class PrivateTrial {
public:
    PrivateTrial(store::Database& database, const Clock& clock)
        : database_(database), clock_(clock) {}

    struct Look {
        std::string_view where;  ///< "the list of threads"
        bool by_its_person = false;
        bool by_a_colleague = false;
        bool by_nobodys_token = false;
    };
    /// By each way there is. `is_private`: false: everybody may see it.
    async::Task<std::vector<Look>> look(bool is_private);

private:
    store::Database& database_;
    const Clock& clock_;
};

}  // namespace postern::mail
