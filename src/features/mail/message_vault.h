#pragma once

#include "features/mail/mail_types.h"
#include "platform/ipc/link.h"
#include "platform/os/fd.h"
#include "platform/store/value.h"

#include <string>
#include <utility>
#include <vector>

namespace postern::mail {

/// What a thread is about, sealed once for all its people.
struct ThreadHead {
    static constexpr std::uint8_t k_version = 1;
    std::string subject;
    std::vector<MailAddress> people;  ///< without the mailbox itself
    auto wire() { return std::tie(subject, people); }
};

/// A sealed object and its key's wraps, one per person in the order given (one for all: raw mails).
struct SealedObject {
    store::SealedBytes content;
    std::vector<store::SealedBytes> wraps;
};

/// One object to be opened, with every wrap there is; the first that opens counts.
struct StoredObject {
    Bytes content;
    std::vector<std::pair<CreatorId, Bytes>> wraps;
};

/// Seals and opens messages: keys come from keeper, one per object, and are forgotten at once.
class MessageVault {
public:
    explicit MessageVault(ipc::Link& keeper) : keeper_(keeper) {}

    async::Task<SealedObject> seal_head(WorkspaceId workspace,
                                        ThreadId thread,
                                        ThreadHead head,
                                        std::vector<CreatorId> people);
    async::Task<SealedObject> seal_body(WorkspaceId workspace,
                                        MessageId message,
                                        MessageBody body,
                                        std::vector<CreatorId> people);
    /// Compresses, then seals under a key that only all people's keys together open.
    async::Task<SealedObject> seal_raw(WorkspaceId workspace,
                                       MessageId message,
                                       Bytes raw,
                                       std::vector<CreatorId> people);

    /// In the order given; nothing where an object does not open any more (erased).
    async::Task<std::vector<std::optional<ThreadHead>>> open_heads(
        WorkspaceId workspace,
        std::vector<std::pair<ThreadId, StoredObject>> objects,
        std::uint64_t handle);
    async::Task<std::vector<std::optional<MessageBody>>> open_bodies(
        WorkspaceId workspace,
        std::vector<std::pair<MessageId, StoredObject>> objects,
        std::uint64_t handle);
    /// Byte-identical to what was sealed. Errors: not_readable.
    async::Task<Bytes> open_raw(WorkspaceId workspace,
                                MessageId message,
                                Bytes sealed,
                                Bytes wrap,
                                std::vector<CreatorId> people,
                                std::uint64_t handle);

    /// For the recipient that it is about, alone.
    async::Task<SealedObject> seal_bounce(WorkspaceId workspace,
                                          MessageId message,
                                          CreatorId creator,
                                          BounceDetail detail);
    struct StoredBounce {
        MessageId message;
        CreatorId creator;
        Bytes detail;
        Bytes wrap;
    };
    /// In the order given; nothing where the recipient was erased.
    async::Task<std::vector<std::optional<BounceDetail>>> open_bounces(
        WorkspaceId workspace, std::vector<StoredBounce> bounces, std::uint64_t handle);

private:
    ipc::Link& keeper_;
};

}  // namespace postern::mail
