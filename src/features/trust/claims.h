#pragma once

#include "features/trust/canary.h"
#include "features/trust/claim.h"
#include "features/trust/file_search.h"
#include "features/trust/ports.h"
#include "foundation/base/clock.h"
#include "platform/async/blocking_pool.h"
#include "platform/audit/anchors.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/logged_anchors.h"
#include "platform/ipc/link.h"
#include "platform/net/tls_trial.h"
#include "platform/store/database.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace postern::trust {

/// What the claims look at. Lifetime: all of it outlives the claims.
struct Grounds {
    store::Database& database;
    store::Database& index;
    ipc::Link& keeper;
    SealDirectory& seals;
    History& history;
    Fences& fences;
    Bearers& bearers;
    Gate& gate;
    Privacy& privacy;
    audit::AuditLog& audit;
    audit::Anchors& anchors;
    const audit::LoggedAnchors& logged_anchors;
    /// Every file that the stores write, relative to the working directory; those that are not
    /// there are left out: where none is, claims about files are unknown. A name that ends in `*`
    /// is of all that begin so. No names at all: the stores are on a server, and their rows are
    /// what can be looked at.
    std::vector<std::string> store_files;
    /// Made anew for each check: it reads whom the system trusts.
    std::function<std::shared_ptr<net::TlsTrial>()> trial = [] {
        return std::make_shared<net::TlsTrial>();
    };
};

/// P1, P2 and P9: what opens an integration, and what ends that.
std::vector<Claim> access_claims(Grounds grounds);
/// P2: who of several holders does.
std::vector<Claim> holder_claims(const Grounds& grounds);
/// P1: what keeps the processes apart.
std::vector<Claim> fence_claims(const Grounds& grounds);
/// P7: what the keyring is under.
std::vector<Claim> keyring_claims(const Grounds& grounds);
/// P7: that the audit record is whole.
std::vector<Claim> audit_claims(const Grounds& grounds);
/// P7: who is let in, and for how long.
std::vector<Claim> sign_in_claims(const Grounds& grounds);
/// P7: that a private thread is its people's alone.
std::vector<Claim> privacy_claims(const Grounds& grounds);
/// P3: what connections insist on.
std::vector<Claim> wire_claims(const Grounds& grounds);
/// P7, P10 and P11: what is stored.
std::vector<Claim> data_claims(Grounds grounds);
/// P7: that it is nowhere in clear.
std::vector<Claim> at_rest_claims(Grounds grounds);

/// All of them, in the order of the promises.
std::vector<Claim> all_claims(const Grounds& grounds);

}  // namespace postern::trust
