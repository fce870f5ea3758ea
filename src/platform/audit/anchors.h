#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/audit/anchor_file.h"
#include "platform/audit/anchor_judgement.h"
#include "platform/audit/anchor_line.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"
#include "platform/os/fd.h"
#include "platform/store/database.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::audit {

enum class AnchorStep : std::uint8_t {
    open,    ///< what is there, else a new file
    rotate,  ///< a new file; the present one becomes the one before
    accept,  ///< a new file and none before: what differed was accepted by the operator
};

/// Opens the files of a second place.
class AnchorPlace {
public:
    virtual ~AnchorPlace() = default;
    [[nodiscard]] virtual bool is_set() const = 0;
    virtual async::Task<std::shared_ptr<const AnchorFile>> open(AnchorStep step) = 0;
};

/// Says at a second place how far each workspace's record has come, and compares: a record whose
/// tail was cut, that was set back or deleted as a whole is not as far as it was.
///
/// Executor: front's thread. Lifetime: outlives every coroutine it started.
class Anchors {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        AuditLog& log;
        AnchorPlace& place;
    };
    explicit Anchors(Parts parts) : parts_(parts) {}

    /// Compares, then writes every few seconds what is new, until it is cancelled.
    async::Job keep();
    /// What is new since the last time, as far as that can be written. Errors: the store's,
    /// keeper's, the second place's.
    async::Task<> write();

    struct Comparison {
        bool is_set = false;     ///< there is a second place
        bool is_read = false;    ///< and it could be read
        std::int64_t lines = 0;  ///< that are keeper's
        std::vector<std::string> faults;
    };
    /// What was said there against what is here.
    async::Task<Comparison> compare();
    /// A log, perhaps one that the operator fetched from their log server, against what is here.
    /// Lines without an anchor are passed over. `faults` tells what is no longer as it was, and
    /// `newest` how far each record had come by this log.
    struct LogComparison {
        struct Newest {
            WorkspaceId workspace;
            std::int64_t anchors = 0;  ///< that are keeper's
            std::int64_t number = 0;   ///< that the farthest of them names; 0: there is none
            UnixMs at_ms = 0;          ///< the time it says
            std::int64_t record = 0;   ///< the newest record here
        };
        std::int64_t lines = 0;
        std::int64_t too_long = 0;  ///< of them, which were not looked at
        std::vector<Newest> newest;
        std::vector<std::string> faults;
    };
    /// Errors: those of the store and of keeper; OsError, too_large for a log of more than
    /// k_log_bytes_max.
    async::Task<LogComparison> compare_log(std::shared_ptr<const os::Fd> log);
    static constexpr std::uint64_t k_log_bytes_max = std::uint64_t{1} << 30U;
    /// The operator knows why they differ, such as a backup that was put back: begins anew. It
    /// stands in the installation's own record. Errors: as write().
    async::Task<> accept();
    /// Makes up a record and what was said of it, changes the record in each way that leaves it
    /// whole by itself, and judges it as compare() does.
    async::Task<AuditLog::Trial> try_changes();

    /// What the operator has to see to; empty: nothing.
    [[nodiscard]] const std::string& trouble() const noexcept {
        return differs_.empty() ? unwritten_ : differs_;
    }

private:
    /// Of each workspace the anchor that goes farthest, and how many there were.
    struct Best {
        Anchor anchor;
        std::int64_t count = 0;
    };
    using Farthest = std::map<WorkspaceId, Best>;

    async::Task<> open(AnchorStep step);
    async::Task<Anchor> sign(WorkspaceId workspace, AuditLog::Head head);
    async::Task<> append(std::vector<Anchor> anchors);
    async::Task<> write_heads(AuditLog::Heads heads);
    async::Task<> rotate_if_full();
    async::Task<> find_unwritten();
    async::Task<std::vector<Anchor>> good_of(WorkspaceId workspace,
                                             std::vector<Anchor> anchors,
                                             std::vector<std::string>* faults);
    async::Task<ChainFacts> facts_of(WorkspaceId workspace, std::vector<std::int64_t> numbers);
    async::Task<> judge_found(std::vector<Anchor> found, LogComparison* out, Farthest* farthest);
    async::Task<> judge_farthest(Farthest farthest, LogComparison* out);
    async::Task<std::string> read_place();
    void note(std::string& kept, std::string trouble);

    Parts parts_;
    async::BlockingPool pool_{{.threads = 1, .queue_max = 4}};
    std::shared_ptr<const AnchorFile> file_;
    bool is_compared_ = false;
    std::string differs_;    ///< what the last comparison saw first
    std::string unwritten_;  ///< why the second place lacks what is new
};

}  // namespace postern::audit
