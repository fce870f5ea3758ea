#pragma once

#include "features/mail/protocol/courier_protocol.h"
#include "platform/async/signal.h"
#include "platform/ipc/link.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/net/test_loop.h"
#include "platform/os/fd.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {

/// Counts what the feature asks of others; `fails` may refuse the nth asking, or break something.
struct Steps {
    int taken = 0;
    std::function<bool(int)> fails;
    bool fail_now() { return ++taken, fails && fails(taken); }
};

/// What it seals is readable, and opens only at its place and for its people.
class PlayedKeeper final : public keys::test::PlayedPeer {
public:
    PlayedKeeper(net::test::Loop& loop, Steps& steps);

    std::set<std::pair<WorkspaceId, CreatorId>> people;  ///< who has a key; erased: who has not
    std::vector<std::uint64_t> handles;                  ///< of those who opened keys
    int keys_made = 0;

private:
    async::Task<keys::SealKeys::Answer> seal_keys(keys::SealKeys ask);
    async::Task<keys::OpenKeys::Answer> open_keys(keys::OpenKeys ask);
    /// Of records and MACs.
    template <typename Method>
    async::Task<typename Method::Answer> answer(Method ask) {
        if (steps_.fail_now()) co_return fail(keys::KeyError::storage_failed);
        co_return keys::test::played(ask);
    }

    Steps& steps_;
};

/// How one submission goes.
struct SendPlay {
    enum class End { answers, fails, lost_before_dot, lost_after_dot };
    End end = End::answers;
    SendMail::Answer answer;
    MailError failure = MailError::connection_lost;
    bool asks = true;   ///< for the final dot
    bool held = false;  ///< until release()
};
SendPlay sent();
SendPlay refused(std::uint16_t code, SendStage stage, bool transient = false);
SendPlay broken(SendStage stage, std::string error_code);
SendPlay lost(SendPlay::End end);

class PlayedCourier final : public keys::test::PlayedPeer {
public:
    PlayedCourier(net::test::Loop& loop, Steps& steps);

    struct Submitted {
        Bytes ticket;
        MessageId message;
        std::int64_t attempt = 0;
        std::string from;
        std::vector<std::string> recipients;
        std::string raw;
        std::optional<bool> dot_allowed;  ///< nothing: not asked
    };
    struct Copied {
        Bytes ticket;
        std::string message_id;
        std::string raw;
        bool only_looked = false;
    };
    struct Fetched {
        IntegrationId integration;
        std::string folder;
        std::uint32_t uid_validity = 0;
        std::uint32_t uid = 0;
    };

    // What the feature does when courier asks.
    std::function<async::Task<>(BeforeFinalDot)> before_dot;
    std::function<async::Task<>(FolderSearched)> searched;
    std::function<void()> dot_was_allowed;

    std::deque<SendPlay> sends;  ///< empty: sent
    std::vector<Submitted> submitted;
    void release();

    std::deque<MailError> copies_fail;
    bool sent_has_it = false;
    std::vector<Copied> copied;

    std::map<std::pair<std::string, std::uint32_t>, std::string> mails;
    std::deque<MailError> fetches_fail;
    std::function<void()> before_fetch;
    std::string given_id;  ///< of the copy in Sent
    std::vector<ProbeSearch> probed;
    SearchProbe search_probe = SearchProbe::works;
    std::deque<MailError> probes_fail;
    std::vector<SetWatch> set;
    std::vector<IntegrationId> addresses_watched;
    std::vector<Fetched> fetched;

    std::deque<MailError> watches_fail;
    bool watches_hang = false;
    std::vector<Watch> watched;
    std::vector<FolderCursor> floor{{"INBOX", 7, 100}};
    std::vector<FolderSearched> finds;  ///< told when asked to search
    int searches = 0;

private:
    async::Task<SendMail::Answer> send(SendMail ask);
    async::Task<SendMail::Answer> cross_the_dot(SendPlay play, std::size_t at);
    async::Task<SaveSent::Answer> save(SaveSent ask);
    async::Task<ProbeSearch::Answer> probe(ProbeSearch ask);
    async::Task<ipc::Nothing> set_watch(SetWatch ask);
    async::Task<FetchMail::Answer> fetch(FetchMail ask);
    async::Task<Watch::Answer> watch(Watch ask);
    async::Task<SearchNow::Answer> search(SearchNow ask);

    Steps& steps_;
    std::vector<std::shared_ptr<async::Signal>> held_;
};

/// Of a sealed memory file.
std::string content_of(const os::Fd& file);

}  // namespace postern::mail::test
