#pragma once

#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"

#include <cstdint>

namespace postern::mail::courier {

/// What a ticket must have been minted for.
enum class UseFor : std::uint8_t { verify, send, read_replies };

/// What a one-use ticket gave: a credential, where it may be used, and under what.
struct OpenedUse {
    IntegrationId integration;
    std::uint64_t epoch = 0;
    bool by_grant = false;  ///< else by the lease
    GrantId grant;
    UnixMs until_ms = 0;
    MailboxDestination destination;
    Secret password;
};

/// Redeems tickets at keeper. Host and port come from there with the credential, so that nobody can
/// point a password elsewhere.
class CredentialSource {
public:
    virtual ~CredentialSource() = default;
    /// Errors: MailError::ticket_refused, also for a ticket that is good for something else;
    /// ipc::IpcError.
    virtual async::Task<OpenedUse> redeem(Bytes ticket, UseFor purpose) = 0;
};

}  // namespace postern::mail::courier
