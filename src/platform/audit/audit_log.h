#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/audit/chain_keys.h"
#include "platform/audit/record.h"
#include "platform/ipc/link.h"
#include "platform/store/database.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::audit {

/// As it is listed.
struct Record {
    std::int64_t number = 0;
    UnixMs at_ms = 0;
    std::string action;
    std::string facts;  ///< JSON
    std::string from;   ///< an address; empty: not known
};

struct Verification {
    std::int64_t records = 0;               ///< that are whole, from the first one on
    std::optional<std::int64_t> broken_at;  ///< the number of the first one that is not
    std::string fault;                      ///< what is wrong with it
    Bytes head;                             ///< MAC of the last whole one
};

/// The records of all workspaces, each a chain of its own. A record is written in the transaction
/// of the change that it tells of: no record, no change.
///
/// Executor: front's thread. Lifetime: outlives every coroutine it started.
class AuditLog {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
    };
    explicit AuditLog(Parts parts) : parts_(parts) {}

    /// Runs `body` and writes the record in one transaction, into the chain of each workspace.
    /// Errors: the body's, keeper's, rolled_back, and those of the store.
    template <store::Body F>
    async::Task<store::BodyValue<F>> record(std::vector<WorkspaceId> workspaces, Act act, F body);
    template <store::Body F>
    async::Task<store::BodyValue<F>> record(WorkspaceId workspace, Act act, F body) {
        return record(std::vector<WorkspaceId>{workspace}, std::move(act), std::move(body));
    }

    /// Newest first, those with a smaller number than `before`; 0: from the newest on.
    async::Task<std::vector<Record>> list(WorkspaceId workspace,
                                          std::int64_t before,
                                          std::int64_t limit);
    /// Whose record has anything in it.
    async::Task<std::vector<WorkspaceId>> chains();
    /// Goes through the whole chain, with keeper's judgement of each MAC.
    async::Task<Verification> verify(WorkspaceId workspace);
    /// Makes up a chain in memory, as records are written, changes it in each way that somebody
    /// with the store could, and judges it as verify() does.
    struct Trial {
        bool is_whole = false;  ///< before anything was changed
        std::vector<std::string> seen;
        std::vector<std::string> unseen;
    };
    async::Task<Trial> try_changes();

private:
    /// One record on its way into several chains.
    struct Entry {
        WorkspaceId workspace;
        StoredRecord record;
    };
    using Entries = std::vector<Entry>;

    /// How many of these records are whole, and what is wrong with the first that is not.
    struct Judgement {
        std::size_t good = 0;
        std::string fault;
    };
    /// Lifetime: `records` outlives the call. `last`: the one before them, null at the beginning.
    async::Task<Judgement> judge(WorkspaceId workspace,
                                 const std::vector<StoredRecord>* records,
                                 const StoredRecord* last);
    async::Task<> make_room(WorkspaceId workspace);
    async::Task<Entries> prepare(std::vector<WorkspaceId> workspaces, Act act);
    [[nodiscard]] static Result<> append(store::Transaction& tx,
                                         const ChainKeys& keys,
                                         Entries& entries);
    void committed(const Entries& entries);

    Parts parts_;
    std::shared_ptr<ChainKeys> keys_ = std::make_shared<ChainKeys>();  ///< writes that wait have it
};

template <store::Body F>
async::Task<store::BodyValue<F>> AuditLog::record(std::vector<WorkspaceId> workspaces,
                                                  Act act,
                                                  F body) {
    auto prepared = co_await prepare(std::move(workspaces), std::move(act));
    if (!prepared) co_return fail(std::move(prepared.error()));
    const auto entries = std::make_shared<Entries>(std::move(*prepared));
    auto both = [keys = keys_, entries, body = std::move(body)](
                    store::Transaction& tx) mutable -> Result<store::BodyValue<F>> {
        auto done = body(tx);
        if (!done) return done;
        if (auto written = append(tx, *keys, *entries); !written) {
            return fail(std::move(written.error()));
        }
        return done;
    };
    auto done = co_await parts_.database.write(std::move(both));
    if (done) committed(*entries);
    co_return done;
}

}  // namespace postern::audit
