#include "edge/api/idempotency.h"

#include "edge/api/api_lab_test.h"
#include "edge/api/limits.h"
#include "features/integrations/integration_store.h"
#include "features/integrations/integration_types.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/seals.h"
#include "platform/store/scratch_store_test.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

constexpr std::string_view k_thread =
    R"({"integration_id":"int_00000000000000000000000000","subject":"s","text":"t",)"
    R"("to":[{"name":"L","address":"lea@creators.example"}]})";

class IdempotencyTest : public test::ApiLab {
protected:
    net::http::Response write(const std::string& key, std::string_view body = k_thread) {
        return send(by(owner, "POST", "/v1/threads", std::string(body), key));
    }
    std::string owner = token();
};

TEST_F(IdempotencyTest, same_request_again_is_the_same_answer_and_one_effect) {
    const auto first = write("key-1");
    ASSERT_EQ(first.status, 201) << first.body;
    const auto again = write("key-1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(mail.started, 1);
    EXPECT_EQ(write("key-2").status, 201);
    EXPECT_EQ(mail.started, 2);
}

TEST_F(IdempotencyTest, it_holds_over_a_restart_and_ends_after_a_day) {
    const auto first = write("key-1");
    restart();
    begin();
    EXPECT_EQ(write("key-1").body, first.body);
    clock.pass_s(k_idempotency_s - 1);
    EXPECT_EQ(write("key-1").body, first.body);
    clock.pass_s(1);
    EXPECT_EQ(write("key-1").status, 201);
    EXPECT_EQ(mail.started, 2);
}

TEST_F(IdempotencyTest, another_body_under_the_key_is_refused) {
    ASSERT_EQ(write("key-1").status, 201);
    std::string other(k_thread);
    other.replace(other.find("\"t\""), 3, "\"u\"");
    const auto refused = write("key-1", other);
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(member(refused, "code"), "idempotency_key_reused");
    EXPECT_EQ(mail.started, 1);
}

TEST_F(IdempotencyTest, refused_request_may_be_repaired_under_its_key) {
    EXPECT_EQ(write("key-1", R"({"subject":"incomplete"})").status, 422);
    EXPECT_EQ(write("key-1").status, 201);
    EXPECT_EQ(mail.started, 1);
}

TEST_F(IdempotencyTest, second_one_while_the_first_runs_is_told_to_wait) {
    async::Signal go(loop.io.get_executor());
    mail.waits = &go;
    std::optional<Result<net::http::Response>> first;
    const auto sent = by(owner, "POST", "/v1/threads", std::string(k_thread), "key-1");
    loop.start(ask(handlers.handle, request_of(sent)), first);
    const auto second = send(sent);
    EXPECT_EQ(second.status, 409);
    EXPECT_EQ(member(second, "code"), "idempotency_in_progress");
    go.set();
    loop.run_until([&] { return first.has_value(); });
    EXPECT_EQ((*first)->status, 201);
    mail.waits.reset();
    EXPECT_EQ(write("key-1").body, (*first)->body);
    EXPECT_EQ(mail.started, 1);
}

TEST_F(IdempotencyTest, lost_answer_is_found_by_the_id_chosen_beforehand) {
    mail.fail_with = Error(async::AsyncError::cancelled);
    mail.loses_its_answer = true;
    EXPECT_EQ(write("key-1").status, 503);
    ASSERT_EQ(mail.started, 1);
    mail.fail_with.reset();
    restart();
    begin();
    const auto again = write("key-1");
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(member(again, "id"), mail.all.begin()->second.id.text());
    EXPECT_EQ(mail.started, 1);
    EXPECT_EQ(write("key-1").body, again.body);
}

TEST_F(IdempotencyTest, what_failed_before_it_was_made_is_made_by_the_next_try) {
    mail.fail_with = Error(store::StoreError::disk_full);
    EXPECT_EQ(write("key-1").status, 503);
    EXPECT_EQ(mail.started, 0);
    mail.fail_with.reset();
    EXPECT_EQ(write("key-1").status, 201);
    EXPECT_EQ(mail.started, 1);
}

TEST_F(IdempotencyTest, private_thread_needs_a_person_whom_it_is_private_to) {
    auto body = std::string(k_thread);
    body.insert(body.rfind('}'), R"(,"private":true)");
    const auto refused = write("key-1", body);
    EXPECT_EQ(refused.status, 422);
    EXPECT_NE(refused.body.find(R"({"field":"private","code":"needs_person"})"), std::string::npos)
        << refused.body;
    EXPECT_EQ(mail.started, 0);
    const auto shared = write("key-1");
    EXPECT_EQ(member(shared, "private"), "false");
    EXPECT_EQ(shared.body.find(R"("people")"), std::string::npos);
}

TEST_F(IdempotencyTest, keys_of_another_workspace_are_others) {
    ASSERT_EQ(write("key-1").status, 201);
    const auto other = token("Other");
    const auto theirs = send(by(other, "POST", "/v1/threads", std::string(k_thread), "key-1"));
    EXPECT_EQ(theirs.status, 201);
    EXPECT_EQ(header(theirs, "Idempotency-Replayed"), "");
    EXPECT_EQ(mail.started, 2);
}

TEST_F(IdempotencyTest, answer_whose_thing_is_gone_says_so) {
    ASSERT_EQ(write("key-1").status, 201);
    mail.all.clear();
    const auto gone = write("key-1");
    EXPECT_EQ(gone.status, 410);
    EXPECT_EQ(member(gone, "code"), "idempotency_result_gone");
    EXPECT_EQ(mail.started, 1);
}

TEST_F(IdempotencyTest, strange_keys_are_refused_before_anything_else) {
    for (const auto& key : {std::string(256, 'x'), std::string("\xC3\xA9"), std::string("a b"),
                            std::string("\t"), std::string("\x7F")}) {
        const auto refused = write(key);
        EXPECT_EQ(refused.status, 400) << key;
        EXPECT_EQ(member(refused, "code"), "idempotency_key_invalid");
    }
    EXPECT_FALSE(is_idempotency_key(""));
    EXPECT_TRUE(is_idempotency_key(std::string(255, 'x')));
    EXPECT_EQ(mail.started, 0);
}

TEST_F(IdempotencyTest, token_is_not_shown_a_second_time) {
    const auto sent = by(owner, "POST", "/v1/tokens", R"({"role":"reader"})", "key-1");
    const auto first = send(sent);
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_TRUE(member(first, "token").starts_with("pst_"));
    const auto again = send(sent);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(member(again, "id"), member(first, "id"));
    EXPECT_EQ(member(again, "token"), "");
    EXPECT_EQ(member(again, "secret_shown"), "true");
}

/// An integration that holders are added to.
class HolderReplayTest : public IdempotencyTest {
protected:
    HolderReplayTest() {
        keeper.router().on<keys::AddHolder>(
            [this](keys::AddHolder asked) { return add(std::move(asked)); });
        keys::Seal seal;
        seal.epoch = 1;
        seal.holders.emplace_back().holder = HolderId::make(1);
        integrations::Integration row;
        row.workspace = *keeper.workspaces.begin();
        row.id = id_;
        row.kind = "imap";
        row.level = "sealed";
        row.epoch = 1;
        row.sealed_settings = to_bytes("settings");
        row.search_label = "@box.ptn.brand.example";
        const auto written = database->write_now([&](store::Transaction& tx) -> Result<> {
            if (auto put = integrations::rows::insert_integration(tx, row); !put) return put;
            return integrations::rows::insert_seal(tx, row.workspace, row.id, seal);
        });
        EXPECT_TRUE(written.has_value());
    }
    net::http::Response add_holder(const std::string& key) {
        return send(by(owner, "POST", path(),
                       R"({"name":"Ida","shared_secret":"maple otter violin",)"
                       R"("new_shared_secret":"zebra under lamplight"})",
                       key));
    }
    std::string path() const { return "/v1/integrations/" + id_.text() + "/holders"; }
    std::size_t holders() {
        const auto body = send(by(owner, "GET", path())).body;
        std::size_t count = 0;
        for (auto at = body.find("\"id\""); at != std::string::npos;
             at = body.find("\"id\"", at + 1))
            ++count;
        return count;
    }
    /// As a crash after the holder was stored leaves the record of the request.
    void forget_the_answer() {
        const auto forgotten = database->write_now([&](store::Transaction& tx) {
            return tx.execute("UPDATE idempotency SET status = 0, resource_id = $1", {reserved_});
        });
        EXPECT_EQ(forgotten.value_or(0), 1);
    }

    int added = 0;

private:
    async::Task<keys::AddHolder::Answer> add(keys::AddHolder asked) {
        ++added;
        const auto noted = database->write_now([&](store::Transaction& tx) -> Result<HolderId> {
            POSTERN_TRY(const auto row, tx.query_one("SELECT resource_id FROM idempotency"));
            return row->id<HolderTag>(0);
        });
        reserved_ = noted.value_or(HolderId());
        keys::AddHolder::Answer answer;
        answer.holder.holder = asked.holder.value_or(HolderId::make(2));
        co_return answer;
    }

    IntegrationId id_ = IntegrationId::make(1);
    HolderId reserved_;
};

TEST_F(HolderReplayTest, holder_whose_answer_was_lost_is_not_added_a_second_time) {
    const auto first = add_holder("key-1");
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(holders(), 2U);
    forget_the_answer();
    restart();
    begin();
    const auto again = add_holder("key-1");
    EXPECT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(header(again, "Idempotency-Replayed"), "true");
    EXPECT_EQ(member(again, "id"), member(first, "id"));
    EXPECT_EQ(added, 1);
    EXPECT_EQ(holders(), 2U);
}

TEST_F(IdempotencyTest, no_key_and_no_body_stand_in_the_store) {
    ASSERT_EQ(write("a-very-special-key").status, 201);
    ASSERT_TRUE(database->checkpoint_truncate_now().has_value());
    EXPECT_EQ(store::raw_hits(folder.file("store.db"), "a-very-special-key"), 0);
    EXPECT_EQ(store::raw_hits(folder.file("store.db"), "lea@creators.example"), 0);
}

}  // namespace
}  // namespace postern::api
