#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/played_keeper_test.h"
#include "platform/keys/seals.h"
#include "platform/net/test_loop.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace postern::trust::test {

/// Keeper's promises about one kind of question each, and a way to break each of them. What it
/// seals is readable, and opens only at its place.
class LeakyKeeper final : public keys::test::PlayedPeer {
public:
    /// Each true one is a fault that a claim has to find.
    struct Leaks {
        bool opens_with_any_secret = false;
        bool opens_after_a_cut_off = false;
        bool mints_without_a_lease = false;
        bool refuses_the_right_secret = false;
        bool forgets_a_cut_off = false;  ///< says that an ended integration still has keys
        bool opens_for_who_left = false;
        bool opens_with_the_seal_before = false;
        bool shuts_out_who_stays = false;
        bool counts_no_planted_wrap = false;
        bool knows_every_record = false;  ///< of the audit, whatever is in it
        /// What it makes of a credential and puts into its seal.
        std::function<std::string(ByteView)> shows_credential;
        std::uint64_t keys_after_a_cut_off = 0;  ///< that are left of every ended integration
        std::uint64_t pending_after_a_cut_off = 0;
        std::uint64_t planted_keys_seen = 3;
    };

    explicit LeakyKeeper(net::test::Loop& loop);

    static keys::Seal seal_of(std::uint64_t epoch);

    Leaks leaks;
    keys::CountWraps::Answer wraps{
        .rotating = false, .wraps = 12, .waiting = 0, .orphaned = 0, .old_keys = 0};

private:
    struct Held {
        std::uint64_t epoch = 0;
        std::map<HolderId, std::string> secrets;
        std::set<std::string> secrets_of_before;
        bool cut_off = false;
        bool leased = false;
    };
    template <typename Method, typename F>
    void serve(F function) {
        router_.on<Method>(
            [function](Method ask) { return answer<Method>(function, std::move(ask)); });
    }
    template <typename Method, typename F>
    static async::Task<typename Method::Answer> answer(F function, Method ask) {
        co_return function(ask);
    }
    void serve_seals();
    void serve_new_epochs();
    void serve_uses();
    [[nodiscard]] bool accepts(const Held& held, const keys::Unlock& ask) const;
    void serve_records();

    std::map<IntegrationId, Held> held_;
};

}  // namespace postern::trust::test
