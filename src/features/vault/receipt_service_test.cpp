#include "features/vault/receipt_service.h"

#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/keypair.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/receipts.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::vault {
namespace {

using keys::Ending;

constexpr std::string_view k_secret = "maple-otter-violin";
constexpr std::string_view k_message = "{\"kind\":\"cut_off\"}";

class ReceiptServiceTest : public VaultTest {
protected:
    keys::SignReceipt asking(Ending ending, std::uint64_t epoch) {
        return {workspace, integration, ending, epoch, clock.now, to_bytes(k_message)};
    }
    Result<keys::SignReceipt::Answer> sign(Ending ending, std::uint64_t epoch) {
        return keeper->ask(asking(ending, epoch));
    }
    Bytes receipt_key() { return keeper->ask(keys::Identify{})->receipt_key; }
    /// The epoch at which it is cut off.
    std::uint64_t connect_and_cut_off() {
        (void)connect(k_secret);
        return cut_off()->epoch;
    }
};

TEST_F(ReceiptServiceTest, cut_off_is_signed_with_keepers_own_words_in_front) {
    const auto epoch = connect_and_cut_off();
    const auto signature = sign(Ending::cut_off, epoch)->signature;
    std::string covered("postern receipt 1\0", 18);
    covered += "cut_off " + integration.text() + " " + std::to_string(epoch) + " " +
               rfc3339(clock.now) + "\n";
    covered += k_message;
    EXPECT_TRUE(crypto::verify(receipt_key(), as_bytes(covered), signature));
    EXPECT_FALSE(crypto::verify(receipt_key(), as_bytes(k_message), signature));
}

TEST_F(ReceiptServiceTest, what_did_not_end_is_not_signed) {
    EXPECT_EQ(code_of(sign(Ending::reseal, 1)), "not_ended");
    ASSERT_TRUE(prepare(k_secret));
    EXPECT_EQ(code_of(sign(Ending::cut_off, 0)), "not_ended") << "a seal is being made";
    EXPECT_EQ(code_of(sign(Ending::reseal, 1)), "not_ended");
    ASSERT_TRUE(commit(1));
    for (const std::uint64_t epoch : {0, 1, 2}) {
        EXPECT_EQ(code_of(sign(Ending::cut_off, epoch)), "not_ended") << epoch;
        EXPECT_EQ(code_of(sign(Ending::reseal, epoch)), "not_ended") << epoch;
    }
}

TEST_F(ReceiptServiceTest, another_epoch_than_the_one_that_ended_is_not_signed) {
    const auto epoch = connect_and_cut_off();
    EXPECT_EQ(code_of(sign(Ending::cut_off, epoch - 1)), "not_ended");
    EXPECT_EQ(code_of(sign(Ending::cut_off, epoch + 1)), "not_ended");
    EXPECT_EQ(code_of(sign(Ending::reseal, epoch)), "not_ended");
    EXPECT_TRUE(sign(Ending::cut_off, epoch));
}

TEST_F(ReceiptServiceTest, reseal_is_signed_once_its_epoch_is_committed) {
    const auto first = connect(k_secret);
    ASSERT_TRUE(prepare_reseal(first, k_secret, "zebra under lamplight"));
    EXPECT_EQ(code_of(sign(Ending::reseal, 2)), "not_ended");
    ASSERT_TRUE(commit(2));
    EXPECT_TRUE(sign(Ending::reseal, 2));
    EXPECT_EQ(code_of(sign(Ending::reseal, 1)), "not_ended");
    ASSERT_TRUE(cut_off());
    EXPECT_EQ(code_of(sign(Ending::reseal, 2)), "not_ended");
}

TEST_F(ReceiptServiceTest, nothing_opens_what_the_keyring_does_not_know) {
    EXPECT_TRUE(sign(Ending::cut_off, 7));
}

TEST_F(ReceiptServiceTest, another_workspace_gets_no_receipt_of_an_integration) {
    (void)connect(k_secret);
    auto asked = asking(Ending::cut_off, 2);
    asked.workspace = test_id<WorkspaceId>(9);
    EXPECT_EQ(code_of(keeper->ask(asked)), "not_ended");
    // Nor by making one of the same id there, to end that.
    ASSERT_TRUE(keeper->ask(keys::CreateWorkspace{asked.workspace}));
    std::swap(workspace, asked.workspace);
    EXPECT_EQ(code_of(prepare(k_secret)), "not_found");
    EXPECT_EQ(code_of(cut_off()), "not_found");
    EXPECT_EQ(code_of(sign(Ending::cut_off, 2)), "not_ended");
}

TEST_F(ReceiptServiceTest, receipt_bears_the_present_time) {
    const auto epoch = connect_and_cut_off();
    for (const std::int64_t sign_of : {-1, 1}) {
        auto asked = asking(Ending::cut_off, epoch);
        asked.at_ms += sign_of * ReceiptService::k_clock_ms_max;
        EXPECT_TRUE(keeper->ask(asked)) << sign_of;
        asked.at_ms += sign_of;
        EXPECT_EQ(code_of(keeper->ask(asked)), "not_ended") << sign_of;
    }
}

TEST_F(ReceiptServiceTest, ledger_entries_have_a_purpose_of_their_own) {
    const auto key = receipt_key();
    const auto signature = keeper->ask(keys::SignLedger{to_bytes(k_message)})->signature;
    std::string covered("postern ledger 1\0", 17);
    covered += k_message;
    EXPECT_TRUE(crypto::verify(key, as_bytes(covered), signature));
    start_keeper();
    EXPECT_EQ(receipt_key(), key) << "a keeper that is started again signs with the same key";
}

TEST_F(ReceiptServiceTest, bounds_hold) {
    auto wrong = asking(static_cast<Ending>(2), 1);
    EXPECT_EQ(code_of(keeper->ask(std::move(wrong))), "not_ended");
    auto large = asking(Ending::cut_off, 1);
    large.message.resize(ReceiptService::k_signed_bytes_max + 1);
    EXPECT_EQ(code_of(keeper->ask(large)), "too_large");
    EXPECT_EQ(code_of(keeper->ask(keys::SignLedger{std::move(large.message)})), "too_large");
}

}  // namespace
}  // namespace postern::vault
