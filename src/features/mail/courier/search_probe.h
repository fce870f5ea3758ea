#pragma once

#include "features/mail/courier/imap_session.h"
#include "features/mail/protocol/courier_protocol.h"

#include <optional>
#include <string>
#include <vector>

namespace postern::mail::courier {

/// ProbeSearch over a signed-in session that outlives this. The random label comes first: a server
/// that finds something for it finds anything, and none of that is looked at.
class SearchProber {
public:
    explicit SearchProber(ImapSession& session) : session_(session) {}

    /// A search that is refused fails the probe, unless it is refused for now. Errors: MailError.
    async::Task<ProbeSearch::Answer> run(ProbeSearch asked);

private:
    async::Task<SearchProbe> probe(const ProbeSearch* asked);
    async::Task<std::optional<std::vector<imap::Uid>>> search(std::string needle);
    async::Task<bool> are_ours(std::vector<imap::Uid> uids,
                               imap::Uid of_thread,
                               const ProbeSearch* asked);

    ImapSession& session_;
};

}  // namespace postern::mail::courier
