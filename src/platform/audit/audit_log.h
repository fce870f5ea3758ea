#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/audit/audit_store.h"
#include "platform/audit/chain_keys.h"
#include "platform/audit/record.h"
#include "platform/ipc/link.h"
#include "platform/store/database.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
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
/// As it is handed out whole: with all that its MAC is over.
struct WholeRecord {
    StoredRecord stored;
    std::string from;
};

/// Which ones; empty: all.
struct Search {
    std::int64_t before = 0;  ///< smaller numbers; 0: from the newest on
    std::string action;
    std::string by;     ///< the id of a person or token, or a kind
    std::string about;  ///< an id, or the name of a state
    UnixMs since_ms = 0;
    UnixMs until_ms = std::numeric_limits<UnixMs>::max();
};
struct Found {
    std::vector<Record> records;    ///< newest first
    std::int64_t go_on_before = 0;  ///< 0: there are no others
};

struct Verification {
    std::int64_t base = 0;                  ///< how many went because of their age
    std::int64_t records = 0;               ///< that are whole, from the first one on
    std::optional<std::int64_t> broken_at;  ///< the number of the first one that is not
    std::string fault;                      ///< what is wrong with it
    Bytes head;                             ///< MAC of the last whole one
};

/// Who is told how far the records have come; each has its own time.
enum class SecondPlace : std::uint8_t { file, log_server };

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

    /// For what ends access, which no record may stop: where the change can be made and its record
    /// cannot be written, it is made, and the record is owed.
    template <store::Body F>
    async::Task<store::BodyValue<F>> record_or_owe(WorkspaceId workspace, Act act, F body);
    /// Of what was done and cannot be taken back. Written now, or owed.
    async::Job note(WorkspaceId workspace, Act act);
    /// Told in the log, and written, with the time at which it was done, when a record can be
    /// written again. Kept in memory only: a restart before loses it.
    void owe(WorkspaceId workspace, Act act);
    /// Writes what is owed, as far as that goes.
    async::Job settle();
    [[nodiscard]] std::size_t owed() const noexcept { return owed_.size(); }

    /// At most `limit`, and what a bounded number of records were looked at for: there may be fewer
    /// and others to go on with.
    async::Task<Found> search(WorkspaceId workspace, Search asked, std::int64_t limit);
    /// Oldest first, larger numbers than `number`, at most 500.
    async::Task<std::vector<WholeRecord>> after(WorkspaceId workspace, std::int64_t number);
    /// Where the record begins: what went because of its age.
    async::Task<std::optional<rows::Base>> base(WorkspaceId workspace);
    /// Deletes records that are older; what stays is whole, and says from where. Some at a time:
    /// true when there may be more.
    async::Task<bool> shorten(WorkspaceId workspace, UnixMs before_ms);

    /// The newest record of a workspace.
    struct Head {
        std::int64_t number = 0;
        Bytes mac;
    };
    using Heads = std::map<WorkspaceId, Head>;
    /// Those that are new since the last call for this place.
    [[nodiscard]] Heads take_heads(SecondPlace place) { return std::exchange(heads_of(place), {}); }
    void give_back(SecondPlace place, Heads heads);
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
    async::Task<std::string> open_from(WorkspaceId workspace, const StoredRecord* record);
    async::Task<Judgement> judge(WorkspaceId workspace,
                                 const std::vector<StoredRecord>* records,
                                 const StoredRecord* last);
    async::Task<bool> is_base(WorkspaceId workspace, rows::Base base);
    async::Task<> make_room(WorkspaceId workspace);
    async::Task<Entries> prepare(std::vector<WorkspaceId> workspaces, Act act, UnixMs at_ms);
    [[nodiscard]] static Result<> append(store::Transaction& tx,
                                         const ChainKeys& keys,
                                         Entries& entries);
    void committed(const Entries& entries);

    struct Owed {
        WorkspaceId workspace;
        Act act;
        UnixMs at_ms = 0;
    };
    /// As record(), without settling what is owed.
    template <store::Body F>
    async::Task<store::BodyValue<F>> write(std::vector<WorkspaceId> workspaces,
                                           Act act,
                                           UnixMs at_ms,
                                           F body);

    Parts parts_;
    /// Where an actor is, as it was sealed a moment ago: records of theirs share it for a while, so
    /// that not each of them asks keeper.
    struct SealedPlace {
        Bytes seal_row;
        store::SealedBytes details;
        UnixMs at_ms = 0;
    };
    async::Task<> put_place(WorkspaceId workspace, By by, StoredRecord* record);

    std::map<std::tuple<WorkspaceId, std::string, std::string>, SealedPlace> places_;
    [[nodiscard]] Heads& heads_of(SecondPlace place) {
        return heads_[static_cast<std::size_t>(place)];
    }
    std::array<Heads, 2> heads_;  ///< by place
    std::deque<Owed> owed_;       ///< the oldest first
    bool settling_ = false;
    std::shared_ptr<ChainKeys> keys_ = std::make_shared<ChainKeys>();  ///< writes that wait have it
};

template <store::Body F>
async::Task<store::BodyValue<F>> AuditLog::record(std::vector<WorkspaceId> workspaces,
                                                  Act act,
                                                  F body) {
    auto done = co_await write(std::move(workspaces), std::move(act), parts_.clock.now_ms(),
                               std::move(body));
    if (done && !owed_.empty()) co_await settle();
    co_return done;
}

template <store::Body F>
async::Task<store::BodyValue<F>> AuditLog::record_or_owe(WorkspaceId workspace, Act act, F body) {
    auto done = co_await record(workspace, act, body);
    if (done) co_return done;
    done = co_await parts_.database.write(std::move(body));
    if (done) owe(workspace, std::move(act));
    co_return done;
}

template <store::Body F>
async::Task<store::BodyValue<F>> AuditLog::write(std::vector<WorkspaceId> workspaces,
                                                 Act act,
                                                 UnixMs at_ms,
                                                 F body) {
    auto prepared = co_await prepare(std::move(workspaces), std::move(act), at_ms);
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
