#pragma once

#include "features/mail/mail_lab_fake.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/played_processes_fake.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/send_outcome.h"
#include "features/mail/sender.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/store/transaction.h"

#include <gtest/gtest.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace postern::mail::test {

/// The send queue over a played courier that asks it for the final dot.
class SenderLab : public MailLab {
protected:
    explicit SenderLab(std::size_t threads = 0) : MailLab(threads) {
        courier.before_dot = [this](BeforeFinalDot asked) {
            return sender->before_final_dot(asked);
        };
        policy.attempts_max = 4;
        policy.store_pause = std::chrono::milliseconds(1);
    }
    ~SenderLab() override { stop(); }

    /// As front does at its start.
    void begin() {
        sender = std::make_unique<Sender>(parts(), policy);
        ASSERT_TRUE(run(sender->recover()));
        jobs->spawn("sender", sender->run());
        settle();
    }
    void pass_s(std::int64_t seconds) {
        clock.pass_s(seconds);
        sender->wake();
        settle();
    }
    void wake_mailbox() {
        ASSERT_TRUE(run(sender->wake_mailbox(workspace, integration)));
        settle();
    }
    /// The next so many submissions wait for release().
    void hold(std::size_t count) {
        courier.sends.assign(count, sent());
        for (auto& play : courier.sends)
            play.held = true;
    }
    rows::Stage only_stage() {
        const auto rows = outbox();
        EXPECT_EQ(rows.size(), 1U);
        return rows.empty() ? rows::Stage::unknown : rows.front().stage;
    }
    void at_stage(MessageId id, rows::Stage stage, MessageState state, std::int64_t attempts = 0) {
        write([&](store::Transaction& tx) -> Result<> {
            rows::OutboxMove move{workspace, id, 0, stage, attempts, clock.now, false};
            POSTERN_TRY(const auto mine, rows::move_outbox(tx, move));
            EXPECT_TRUE(mine);
            return rows::set_message_state(tx, workspace, id, state, "");
        });
    }

    RetryPolicy policy;
    std::unique_ptr<Sender> sender;
    Thread thread = add_thread({k_lea, k_bo});
};

}  // namespace postern::mail::test
