#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "platform/ipc/link.h"
#include "platform/private_threads/viewer.h"
#include "platform/store/database.h"

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace postern::outreach {

enum class OutreachError {
    not_found,
    index_lost,  ///< its rows went with a crash of the database server
};

constexpr ErrorInfo describe(OutreachError error) {
    switch (error) {
        case OutreachError::not_found: return {"not_found", "There is no such creator."};
        case OutreachError::index_lost:
            return {"store_busy", "The store is busy. Please try again."};
    }
    return {"not_found", "There is no such creator."};
}

/// The person written to. At rest under the creator's own subject key.
struct Creator {
    CreatorId id;
    std::string name;
    std::string address;
    UnixMs created_at_ms = 0;
};

/// Who is written to and found by address. One creator per address of a workspace (compared without
/// case); addresses are looked up by keyed MAC in the index store. A viewer sees whoever is in a
/// thread that they see.
///
/// Executor: front's thread.
class Creators {
public:
    struct Parts {
        store::Database& database;
        store::Database& index;
        ipc::Link& keeper;
        const Clock& clock;
    };
    explicit Creators(Parts parts) : parts_(parts) {}

    /// The creator with this address, made if there is none. An existing name is kept.
    async::Task<CreatorId> ensure(WorkspaceId workspace, std::string name, std::string address);
    /// Errors: not_found.
    async::Task<Creator> get(private_threads::Viewer viewer, CreatorId id, std::uint64_t handle);
    /// Whoever sees them.
    async::Task<std::optional<CreatorId>> find(WorkspaceId workspace, std::string address);
    async::Task<std::vector<Creator>> list(private_threads::Viewer viewer,
                                           CreatorId after,
                                           std::int64_t limit,
                                           std::uint64_t handle);

    /// Makes the index anew from the sealed profiles where it was lost, so that nobody is made a
    /// second time; the first use does so as well. What was begun once goes on.
    async::Task<> complete_index();

private:
    async::Task<std::vector<Creator>> list_page(WorkspaceId workspace, CreatorId after);
    async::Task<std::vector<Creator>> list_slowly(WorkspaceId workspace, CreatorId after);
    async::Task<> index_page(WorkspaceId workspace, std::vector<Creator> page);
    /// In the order given, at most 1,000.
    async::Task<std::vector<Bytes>> address_macs(WorkspaceId workspace,
                                                 std::vector<std::string> addresses);
    async::Task<Bytes> address_mac(WorkspaceId workspace, std::string address);
    async::Task<> store_profile(WorkspaceId workspace,
                                CreatorId id,
                                std::string name,
                                std::string address);

    Parts parts_;
};

}  // namespace postern::outreach
