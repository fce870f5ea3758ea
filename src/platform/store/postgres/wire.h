#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/postgres/libpq.h"
#include "platform/store/postgres/reply.h"
#include "platform/store/value.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store::postgres {

/// The types that a statement's values have, as PostgreSQL's own; 0 for a NULL: the server decides.
using Types = std::vector<Oid>;
[[nodiscard]] Types types_of(std::span<const Value> values);

/// A connection in pipeline mode: commands are queued, go out together, and exchange() takes their
/// answers in order. The first failure makes the server skip what was queued behind it.
///
/// Executor: one thread at a time; blocks.
class Wire {
public:
    enum class Want { nothing, changes, rows };

    Wire(const Libpq& pq, ConnectionHandle connection);

    /// False once the server has gone: only destroying it is left.
    [[nodiscard]] bool alive() const { return alive_; }
    [[nodiscard]] bool idle() const { return queue_.empty(); }
    /// So much waits that an exchange should bound it.
    [[nodiscard]] bool full() const;

    /// `known` becomes true when the server has prepared it. Lifetime: until exchange() returned.
    void prepare(const std::string& name, std::string_view sql, const Types& types, bool* known);
    /// `into` takes this command's own answer. Lifetime: as above.
    void execute(const std::string& name,
                 std::span<const Value> values,
                 Want want,
                 Reply* into = nullptr);
    /// The answer to the last command. Errors: those of the first that failed; connection_lost when
    /// the server has gone or the deadline passed. `access` is the running transaction's.
    [[nodiscard]] Result<Reply> exchange(Access access, Deadline deadline);

    /// One or more statements without parameters, outside of any pipeline; nothing may be queued.
    /// Rows of theirs are not kept.
    [[nodiscard]] Result<> run_text(const std::string& sql, Deadline deadline);

private:
    struct Expected {
        Want want = Want::nothing;
        bool* known = nullptr;  ///< of a statement to prepare
        Reply* into = nullptr;
    };

    void sent(int code, Expected expected, std::size_t bytes);
    [[nodiscard]] bool pump(Deadline deadline);
    [[nodiscard]] bool wait_for_answer(Deadline deadline);
    [[nodiscard]] ResultHandle next(Deadline deadline);
    [[nodiscard]] Result<> take(const Expected& expected,
                                Access access,
                                Deadline deadline,
                                Reply& reply);
    void cancel();
    [[nodiscard]] std::unexpected<Error> lost();

    const Libpq* pq_;
    ConnectionHandle connection_;
    bool alive_ = true;
    std::deque<Expected> queue_;
    std::size_t queued_bytes_ = 0;
};

}  // namespace postern::store::postgres
