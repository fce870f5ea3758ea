#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "platform/keys/seals.h"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace postern::integrations {

/// What is stored about an integration: nothing of it opens the account.
/// `connecting`: not confirmed yet; nobody is shown it.
enum class StoredState { connecting, active, cut_off, deleted };

/// What people and the API see: the first that holds.
enum class State { cut_off, access_removed, broken, leased, granted, sealed };
[[nodiscard]] std::string_view name_of(State state);

/// The part that is readable while the integration is sealed. Sealed under the workspace's settings
/// key at rest.
struct Settings {
    static constexpr std::uint8_t k_version = 1;
    std::string name;
    std::string region;
    mail::MailboxDestination destination;
    auto wire() { return std::tie(name, region, destination); }
};

struct Grant {
    keys::GrantSeal seal;
    UnixMs created_at_ms = 0;
    std::int64_t warned_days = 0;  ///< the last warning that was given: 7, 1; 0: none
};

struct Integration {
    WorkspaceId workspace;
    IntegrationId id;
    std::string kind;
    std::string level;
    StoredState stored_state = StoredState::active;
    std::uint64_t epoch = 0;
    Bytes sealed_settings;
    std::string search_label;
    std::optional<std::string> broken_code;
    UnixMs created_at_ms = 0;
    UnixMs last_used_at_ms = 0;      ///< the last act of a person on it, to the hour
    std::optional<keys::Seal> seal;  ///< of `epoch`; nothing after a cut-off
    std::vector<Grant> grants;       ///< of `epoch`, expired ones included
};

/// Somebody who has a secret of an integration.
struct Holder {
    HolderId id;
    std::string name;  ///< empty: who connected it
    UnixMs created_at_ms = 0;
};

/// An integration as it is shown.
struct View {
    Integration integration;
    Settings settings;
    State state = State::sealed;
    keys::Lease lease;
    bool granted = false;  ///< a grant is good now
};

struct Step {
    std::string name;
    std::string result;
    UnixMs at_ms = 0;
    auto wire() { return std::tie(name, result, at_ms); }
};
/// A signed record of what a cut-off, re-seal or deletion did.
struct Receipt {
    static constexpr std::uint8_t k_version = 1;
    ReceiptId id;
    std::string kind;   ///< cut_off, reseal, delete
    std::string state;  ///< pending until two backup sites have its ledger entry, then final
    UnixMs at_ms = 0;
    std::string subject;  ///< id of the integration
    std::uint64_t epoch = 0;
    std::vector<Step> steps;
    std::int64_t bound_ms = 0;
    std::string advice;  ///< what the user does at the provider
    std::string link;    ///< where, empty: not known
    Bytes key;           ///< Ed25519 public half
    Bytes signature;
    auto wire() {
        return std::tie(id, kind, state, at_ms, subject, epoch, steps, bound_ms, advice, link, key,
                        signature);
    }
};

}  // namespace postern::integrations
