#pragma once

#include "features/identity/actor.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "platform/async/task.h"
#include "platform/store/database.h"

#include <string_view>
#include <vector>

namespace postern::identity {

/// Who people, sessions and tokens of nobody's are to the gate: their rows are written, read as all
/// others are, and rolled back in one transaction, so that nobody else ever sees them.
/// Executor: front's thread. Lifetime: the database and the clock outlive it.
class Trials {
public:
    Trials(store::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

    /// A fresh session in a workspace that demands a second factor. `standing`: what its person has
    /// and has shown.
    async::Task<Actor> session(Role role, Standing standing);
    /// A token with every scope.
    async::Task<Actor> token(Role role);

    /// A session, before and after it was brought to an end.
    struct Ended {
        std::string_view how;
        bool was_good = false;
        bool is_good = false;         ///< it, or the text that it had
        bool stream_goes_on = false;  ///< one that was open before
    };
    /// By each way there is. `really`: false: it is only looked at again.
    async::Task<std::vector<Ended>> ends(bool really);

private:
    store::Database& database_;
    const Clock& clock_;
};

}  // namespace postern::identity
