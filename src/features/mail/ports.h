#pragma once

#include "features/mail/mail_types.h"
#include "platform/os/fd.h"
#include "platform/store/transaction.h"

#include <optional>
#include <string>
#include <vector>

/// What the mail feature needs of others; app/front connects them.
namespace postern::mail {

struct Mailbox {
    WorkspaceId workspace;
    IntegrationId id;
    std::string name;
    std::string address;
    std::string search_label;
    std::string imap_host;
    std::string smtp_host;
    bool reads_replies = true;
    bool cut_off = false;  ///< or deleted: only its history is left
};
struct MailboxRef {
    WorkspaceId workspace;
    IntegrationId id;
};
enum class MailVerb { send, read_replies };

/// Connected mailboxes and the right to use them.
class Mailboxes {
public:
    virtual ~Mailboxes() = default;
    /// Also of one that is cut off or deleted, so that its history stays complete.
    virtual async::Task<Mailbox> find(WorkspaceId workspace, IntegrationId id) = 0;
    virtual async::Task<std::vector<MailboxRef>> active() = 0;
    /// A person asks for something that needs the mailbox. Errors: integration_sealed,
    /// integration_cut_off, access_removed, not_found.
    virtual async::Task<> check_open(WorkspaceId workspace, IntegrationId id, MailVerb verb) = 0;
    /// A ticket for courier. Errors: integration_sealed, integration_cut_off, ceiling_reached.
    virtual async::Task<Bytes> ticket(WorkspaceId workspace, IntegrationId id, MailVerb verb) = 0;
    /// True for errors of ticket() that only a person ends; such work waits for a change.
    [[nodiscard]] virtual bool waits_for_person(const Error& error) const = 0;
    [[nodiscard]] virtual bool is_cut_off(const Error& error) const = 0;
    /// What a person is told of the mailbox. A refused sign-in closes it: there is no ticket until
    /// a person acts. Nothing: it works again, where anything but that was told.
    virtual async::Task<> report(WorkspaceId workspace,
                                 IntegrationId id,
                                 std::optional<MailError> refusal) = 0;
};

/// The people written to.
class CreatorDirectory {
public:
    virtual ~CreatorDirectory() = default;
    virtual async::Task<CreatorId> ensure(WorkspaceId workspace,
                                          std::string name,
                                          std::string address) = 0;
};

/// People of the workspace: who may be let into a private thread, and who may still act in one.
class Colleagues {
public:
    virtual ~Colleagues() = default;
    /// They work here, are not suspended, and their role reads mail.
    virtual Result<bool> may_read(store::Transaction& tx,
                                  WorkspaceId workspace,
                                  PersonId person) const = 0;
    /// And writes it.
    virtual Result<bool> may_write(store::Transaction& tx,
                                   WorkspaceId workspace,
                                   PersonId person) const = 0;
};

/// Processes that read hostile mail; each serves one workspace. A MailError is about the mail and
/// final; any other error passes.
class Readers {
public:
    virtual ~Readers() = default;
    virtual async::Task<ReadMail> parse(WorkspaceId workspace, os::Fd raw) = 0;
    virtual async::Task<BounceReport> parse_bounce(WorkspaceId workspace, os::Fd raw) = 0;
    virtual async::Task<ExtractAttachment::Answer> extract(WorkspaceId workspace,
                                                           os::Fd raw,
                                                           std::uint32_t index) = 0;
};

}  // namespace postern::mail
