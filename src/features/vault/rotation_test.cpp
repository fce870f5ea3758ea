#include "features/vault/crash_lab_test.h"
#include "features/vault/keeper_service.h"
#include "features/vault/keyring_store.h"
#include "features/vault/recovery_kit.h"
#include "features/vault/root_key.h"
#include "features/vault/rotation_service.h"
#include "features/vault/stepped_store_test.h"
#include "features/vault/vault_lab_test.h"
#include "features/vault/vault_values_test.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/evolving_key.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/keypair.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/audit_keys.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/operator.h"
#include "platform/keys/seals.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"
#include "platform/store/scratch_cluster_test.h"
#include "platform/store/store_error.h"

#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Root, keyring and workspace keys are replaced while everything that was sealed under them goes
/// on opening; keeper is killed at each step of it.
namespace postern::vault {
namespace {

constexpr std::string_view k_secret = "maple-otter-violin";
constexpr std::uint16_t k_column = 109;

class RotationTest : public CrashLab {
protected:
    static CreatorId creator(std::uint64_t number) {
        std::array<std::uint8_t, 16> bytes{};
        for (std::size_t i = 0; i < 8; ++i)
            bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
        return CreatorId(bytes);
    }

    void add_people(std::uint64_t first, std::uint64_t count) {
        keys::CreateSubjects asked{workspace, {}};
        for (std::uint64_t i = first; i < first + count; ++i)
            asked.subjects.push_back(creator(i));
        ASSERT_TRUE(keeper->ask(std::move(asked)));
    }

    /// An object of a person, as front would store it.
    keys::KeyOpening seal_for(std::uint64_t person, Bytes* key) {
        keys::SealKeys asked{workspace, {}};
        asked.requests.push_back({k_column, {1, 2}, keys::WrapMode::each, {creator(person)}});
        auto sealed = keeper->ask(asked);
        POSTERN_CHECK(sealed.has_value());
        *key = bytes_of(sealed->keys.at(0).key);
        return {
            k_column, {1, 2}, keys::WrapMode::each, {creator(person)}, sealed->keys[0].wraps.at(0)};
    }
    Bytes open(const keys::KeyOpening& opening) {
        auto opened = keeper->ask(keys::OpenKeys{workspace, 1, {opening}});
        POSTERN_CHECK(opened.has_value());
        return bytes_of(opened->keys.at(0));
    }
    Bytes mac(keys::MacPurpose purpose) {
        auto answer = keeper->ask(keys::ComputeMacs{workspace, purpose, {{7, 7}}});
        POSTERN_CHECK(answer.has_value());
        return answer->macs.at(0);
    }
    Bytes record(std::string_view text) {
        auto sealed = keeper->ask(keys::SealRecords{workspace, {{k_column, {3}, to_bytes(text)}}});
        POSTERN_CHECK(sealed.has_value());
        return sealed->contents.at(0);
    }
    std::string read(const Bytes& sealed) {
        auto opened = keeper->ask(keys::OpenRecords{workspace, {{k_column, {3}, sealed}}});
        if (!opened) return std::string(opened.error().code());
        return std::string(as_text(opened->contents.at(0)));
    }

    /// One of everything that is under a key.
    void fill() {
        add_people(1, 3);
        seal_ = connect(k_secret);
        auto granted = grant(seal_, k_secret, k_send, 1'000'000);
        ASSERT_TRUE(granted);
        grant_ = *granted;
        opening_ = seal_for(2, &key_);
        record_ = record("first");
        for (std::size_t i = 0; i < keys::k_mac_purposes; ++i)
            macs_.push_back(mac(static_cast<keys::MacPurpose>(i)));
        receipt_key_ = keeper->ask(keys::Identify{})->receipt_key;
        auto segment = keeper->ask(keys::OpenAuditSegment{workspace});
        const auto digest = crypto::sha256(as_bytes("a record"));
        const crypto::EvolvingKey key(std::move(segment->key));
        audit_ = {segment->label, 0, to_bytes(digest), to_bytes(key.mac(0, digest))};
        mark_ = {7, to_bytes(digest), 1'000, {}};
        mark_.mac =
            keeper->ask(keys::MarkAudit{workspace, keys::AuditMarkKind::anchor, mark_})->mac;
    }
    /// What was written into the audit record, and said of it, is known.
    void expect_audit_known(int step) {
        EXPECT_EQ(keeper->ask(keys::CheckAuditMacs{workspace, {audit_}})->good, 1U) << step;
        const auto marks =
            keeper->ask(keys::CheckAuditMarks{workspace, keys::AuditMarkKind::anchor, {mark_}});
        EXPECT_EQ(marks->good, Bytes{1}) << step;
    }
    void expect_everything_opens(int step = 0) {
        EXPECT_EQ(open(opening_), key_) << step;
        expect_audit_known(step);
        EXPECT_EQ(read(record_), "first") << step;
        EXPECT_TRUE(unlock(seal_, k_secret)) << step;
        ASSERT_TRUE(keeper->ask(keys::Lock{workspace, integration}));
        EXPECT_TRUE(mint(seal_, {grant_})) << step;
        for (std::size_t i = 0; i < keys::k_mac_purposes; ++i)
            EXPECT_EQ(mac(static_cast<keys::MacPurpose>(i)), macs_[i]) << step << ' ' << i;
        EXPECT_EQ(keeper->ask(keys::Identify{})->receipt_key, receipt_key_);
    }

    struct Old {
        std::vector<Bytes> wraps;
        std::uint32_t version = 0;
        std::uint32_t generation = 0;
    };
    /// Everything that a rotation of all keys replaces, as it lies in the store.
    Old look() {
        keeper.reset();
        Old old;
        {
            auto opened = keyring_store_of(folder);
            auto& store = **opened;
            const auto head = *store.head();
            old.version = head->version;
            old.wraps.push_back(head->keyring_wrap);
            const auto rows = *store.workspace_keys(workspace);
            EXPECT_FALSE(rows->next);
            EXPECT_FALSE(head->older);
            old.generation = rows->present.generation;
            old.wraps.push_back(rows->present.wrap);
            for (const auto& kept : rows->kept)
                old.wraps.push_back(kept.wrap);
            const auto under = store.wraps_under(workspace, old.generation, 1000);
            for (const auto& row : *under)
                old.wraps.push_back(row.wrap);
            EXPECT_EQ(store.wraps_under(workspace, old.generation + 1, 1)->size(), 0U);
            EXPECT_FALSE(*store.rotation_under_way());
        }
        start_keeper();
        return old;
    }
    void expect_gone(const Old& old) {
        for (std::size_t i = 0; i < old.wraps.size(); ++i)
            EXPECT_FALSE(folder.holds(old.wraps[i])) << i;
    }

    Result<ipc::Nothing> begin(bool keyring, bool workspaces) {
        return keeper->ask_operator(keys::BeginRotation{keyring, workspaces});
    }
    void rotate_all() {
        ASSERT_TRUE(begin(true, true));
        keeper->rotate();
    }

    keys::Seal seal_;
    keys::GrantSeal grant_;
    keys::KeyOpening opening_;
    Bytes key_;
    Bytes record_;
    keys::AuditMac audit_;
    keys::AuditMark mark_;
    std::vector<Bytes> macs_;
    Bytes receipt_key_;
};

TEST_F(RotationTest, replaces_every_key_and_everything_opens) {
    fill();
    const auto old = look();
    ASSERT_GE(old.wraps.size(), 8U);
    for (const auto& wrap : old.wraps)
        ASSERT_TRUE(folder.holds(wrap) || store::tests_on_postgres());
    rotate_all();
    expect_gone(old);
    expect_everything_opens();
    const auto fresh = look();
    EXPECT_EQ(fresh.version, old.version + 1);
    EXPECT_EQ(fresh.generation, old.generation + 1);
    expect_everything_opens();
}

TEST_F(RotationTest, one_kind_of_key_alone) {
    fill();
    const auto old = look();
    ASSERT_TRUE(begin(true, false));
    keeper->rotate();
    expect_everything_opens();
    auto now = look();
    EXPECT_EQ(now.version, old.version + 1);
    EXPECT_EQ(now.generation, old.generation);
    ASSERT_TRUE(begin(false, true));
    keeper->rotate();
    expect_everything_opens();
    now = look();
    EXPECT_EQ(now.version, old.version + 1);
    EXPECT_EQ(now.generation, old.generation + 1);
}

TEST_F(RotationTest, tells_what_is_left_under_which_keys) {
    fill();
    const auto before = keeper->ask(keys::CountWraps{});
    ASSERT_TRUE(before);
    EXPECT_GE(before->wraps, 8U);
    EXPECT_EQ(before->waiting + before->orphaned + before->old_keys, 0U);
    EXPECT_FALSE(before->rotating);
    const auto planted = keeper->ask(keys::CountWraps{true});
    ASSERT_TRUE(planted);
    EXPECT_EQ(planted->orphaned, 1U);
    EXPECT_EQ(planted->wraps, before->wraps + 1);

    ASSERT_TRUE(begin(true, true));
    const auto within = keeper->ask(keys::CountWraps{});
    ASSERT_TRUE(within);
    EXPECT_TRUE(within->rotating);
    EXPECT_GE(within->waiting, before->wraps);
    EXPECT_GE(within->old_keys, 2U);
    EXPECT_EQ(within->orphaned, 0U);

    keeper->rotate();
    const auto after = keeper->ask(keys::CountWraps{});
    ASSERT_TRUE(after);
    EXPECT_EQ(after->waiting + after->orphaned + after->old_keys, 0U);
    EXPECT_FALSE(after->rotating);
}

TEST_F(RotationTest, what_was_sealed_in_any_generation_opens_in_the_next_ones) {
    fill();
    std::vector<Bytes> records;
    for (int i = 0; i < 3; ++i) {
        records.push_back(record("generation"));
        const auto old = look();
        rotate_all();
        expect_gone(old);
        expect_everything_opens(i);
        for (const auto& sealed : records)
            EXPECT_EQ(read(sealed), "generation");
    }
}

TEST_F(RotationTest, record_is_sealed_under_the_newest_key_alone) {
    fill();
    const auto before = look();
    rotate_all();
    const auto sealed = record("new");
    keeper.reset();
    // The keyring of before, had somebody kept it, does not open it: the settings key is another.
    start_keeper();
    EXPECT_EQ(read(sealed), "new");
    EXPECT_NE(before.generation, look().generation);
}

TEST_F(RotationTest, goes_on_from_a_kill_at_each_step) {
    fill();
    bool killed = true;
    int steps = 0;
    for (; killed; ++steps) {
        const auto old = look();
        killed = killed_at(steps, [&] {
            (void)begin(true, true);
            keeper->rotate();
        });
        expect_everything_opens(steps);
        keeper->rotate();
        expect_everything_opens(steps);
        const auto now = look();
        // Killed before it was begun it has not happened; later it is finished.
        if (now.version != old.version) {
            EXPECT_EQ(now.version, old.version + 1) << steps;
            EXPECT_EQ(now.generation, old.generation + 1) << steps;
            expect_gone(old);
        } else {
            EXPECT_LE(steps, 1);
        }
    }
    EXPECT_GE(steps, 14);
}

TEST_F(RotationTest, live_calls_go_on_while_it_runs) {
    fill();
    constexpr std::uint64_t k_people = 6 * RotationService::k_batch;
    for (std::uint64_t first = 100; first < 100 + k_people; first += 500)
        add_people(first, 500);
    keeper->group.spawn("rotation", keeper->service->run_rotation());
    ASSERT_TRUE(begin(true, true));
    std::uint64_t added = 0;
    bool running = true;
    while (running) {
        running = keeper->ask_operator(keys::GetRotation{})->running;
        add_people(100'000 + added, 1);
        Bytes key;
        const auto opening = seal_for(100'000 + added, &key);
        ++added;
        EXPECT_EQ(open(opening), key);
        // One that was not looked at yet, so that its wrap is read from the store.
        const auto cold = seal_for(100 + added, &key);
        EXPECT_EQ(open(cold), key);
        const auto granted = grant(seal_, k_secret);
        ASSERT_TRUE(granted);
        EXPECT_TRUE(mint(seal_, {*granted}));
        ASSERT_TRUE(keeper->ask(keys::RevokeGrant{workspace, integration, granted->grant}));
        expect_everything_opens();
    }
    EXPECT_GE(added, 5U) << "it must have run beside the calls";
    const auto state = keeper->ask_operator(keys::GetRotation{});
    EXPECT_EQ(state->failure, "");
    EXPECT_GE(state->moved, k_people);
    look();
    for (std::uint64_t i = 0; i < added; ++i) {
        Bytes key;
        const auto opening = seal_for(100'000 + i, &key);
        EXPECT_EQ(open(opening), key) << i;
    }
}

TEST_F(RotationTest, asking_twice_is_one_rotation) {
    fill();
    const auto old = look();
    ASSERT_TRUE(begin(true, true));
    ASSERT_TRUE(begin(true, true));
    keeper->rotate();
    EXPECT_EQ(look().generation, old.generation + 1);
}

TEST_F(RotationTest, reseal_cut_off_and_erasure_work_in_the_middle_of_it) {
    fill();
    ASSERT_TRUE(begin(true, true));
    const auto resealed = prepare_reseal(seal_, k_secret, "zebra under lamplight");
    ASSERT_TRUE(resealed);
    ASSERT_TRUE(commit(resealed->seal.epoch));
    keeper->run(keeper->service->destroy_subjects(workspace, {creator(3)}));
    keeper->rotate();
    EXPECT_TRUE(unlock(resealed->seal, "zebra under lamplight"));
    EXPECT_FALSE(unlock(seal_, k_secret));
    EXPECT_FALSE(mint(seal_, {grant_}));
    EXPECT_EQ(open(opening_), key_);
    ASSERT_TRUE(begin(true, true));
    ASSERT_TRUE(cut_off());
    keeper->rotate();
    EXPECT_FALSE(unlock(resealed->seal, "zebra under lamplight"));
}

TEST_F(RotationTest, wrap_that_does_not_open_stops_it_and_destroys_nothing) {
    fill();
    keeper.reset();
    {
        auto opened = keyring_store_of(folder);
        auto rows = *(*opened)->subject_keys(workspace, {creator(1)});
        ASSERT_TRUE((*opened)->destroy_subject_keys(workspace, {creator(1)}));
        rows.at(0).wrap[40] ^= 1;
        ASSERT_TRUE((*opened)->add_subject_keys(workspace, rows));
    }
    start_keeper();
    keeper->group.spawn("rotation", keeper->service->run_rotation());
    ASSERT_TRUE(begin(false, true));
    auto state = keeper->ask_operator(keys::GetRotation{});
    while (state->running)
        state = keeper->ask_operator(keys::GetRotation{});
    EXPECT_NE(state->failure, "");
    expect_everything_opens();
}

TEST_F(RotationTest, front_cannot_ask_for_it) {
    EXPECT_FALSE(keeper->ask(keys::BeginRotation{true, true}));
    EXPECT_FALSE(keeper->ask(keys::PrepareRootKey{*os::empty_memory_file(), {}}));
    EXPECT_FALSE(keeper->ask(keys::CommitRootKey{"x"}));
}

class RootRotationTest : public RotationTest {
protected:
    void make_kit() {
        auto kit = keeper->ask_operator(keys::MakeRecoveryKit{2, 2});
        ASSERT_TRUE(kit);
        shares_ = text_of(kit->shares[0]) + text_of(kit->shares[1]);
    }
    void prepare(const os::Fd& file) {
        auto prepared = keeper->ask_operator(keys::PrepareRootKey{*os::duplicate(file), {}});
        ASSERT_TRUE(prepared) << prepared.error().code();
        fingerprint_ = prepared->fingerprint;
    }
    Result<ipc::Nothing> commit_root() {
        return keeper->ask_operator(keys::CommitRootKey{fingerprint_});
    }
    Bytes wanted() {
        keeper.reset();
        const auto fingerprint = *wanted_root_key(keyring_options(folder));
        return to_bytes(fingerprint);
    }
    std::vector<Bytes> under_root() {
        keeper.reset();
        std::vector<Bytes> wraps;
        {
            auto opened = keyring_store_of(folder);
            const auto head = *(*opened)->head();
            const auto kit = *(*opened)->recovery_kit();
            wraps = {head->keyring_wrap, head->receipt_wrap, kit->public_wrap, kit->root_key_box};
        }
        start_keeper();
        return wraps;
    }
    static Bytes key_in(const os::Fd& file) { return bytes_of(*read_root_key(file.get(), {})); }

    std::string shares_;
    std::string fingerprint_;
};

TEST_F(RootRotationTest, keyring_opens_with_the_new_key_alone_and_the_same_kit_restores_it) {
    fill();
    make_kit();
    const auto old = under_root();
    const auto file = *os::empty_memory_file();
    prepare(file);
    EXPECT_EQ(keeper->links->root_key_changes, 0);
    EXPECT_EQ(key_in(keeper->links->next_root_file), key_in(file));
    ASSERT_TRUE(commit_root());
    EXPECT_EQ(keeper->links->root_key_changes, 1);
    keeper->rotate();
    for (const auto& wrap : old)
        EXPECT_FALSE(folder.holds(wrap));
    expect_everything_opens();

    root_bytes = key_in(file);
    start_keeper();
    expect_everything_opens();
    const auto joined = join_recovery_shares(secret_of(shares_));
    keeper.reset();
    auto store = *keyring_store_of(folder);
    const auto kit = *store->recovery_kit();
    EXPECT_EQ(bytes_of(*crypto::box_open(*joined->kit, kit->root_key_box)), root_bytes);
    store.reset();
    const auto refused = open_keyring(keyring_options(folder), filled_key(root_fill));
    EXPECT_EQ(refused.error().code(), "wrong_root_key");
}

TEST_F(RootRotationTest, one_of_the_two_keys_opens_after_a_kill_at_each_step) {
    fill();
    make_kit();
    bool killed = true;
    int steps = 0;
    for (; killed; ++steps) {
        const auto file = *os::empty_memory_file();
        const auto before = bytes_of(root_key());
        killed = died_at(steps, [&] {
            prepare(file);
            (void)commit_root();
            keeper->rotate();
        });
        const auto next = key_in(file);
        const bool changed = wanted() == to_bytes(fingerprint(Secret::copy_of(next)));
        EXPECT_TRUE(changed || wanted() == to_bytes(fingerprint(Secret::copy_of(before))));
        if (changed) root_bytes = next;
        start_keeper();
        keeper->rotate();
        expect_everything_opens(steps);
        const auto joined = join_recovery_shares(secret_of(shares_));
        keeper.reset();
        auto store = keyring_store_of(folder);
        EXPECT_FALSE(*(*store)->rotation_under_way());
        EXPECT_EQ(
            bytes_of(*crypto::box_open(*joined->kit, (*(*store)->recovery_kit())->root_key_box)),
            bytes_of(root_key()));
        store = nullptr;
        start_keeper();
    }
    EXPECT_GE(steps, 5);
}

/// As a connection that was lost during the commit leaves it.
TEST_F(RootRotationTest, keeper_does_not_live_on_where_it_is_unknown_which_key_it_is) {
    for (const bool changed : {true, false}) {
        make_kit();
        const auto before = bytes_of(root_key());
        const auto file = *os::empty_memory_file();
        keeper.reset();
        const auto child = ::fork();
        if (child == 0) {
            const auto step = [&](std::string_view change, bool after) -> Result<> {
                if (change != "change_root_key" || after != changed) return {};
                return fail(store::StoreError::outcome_unknown);
            };
            start_keeper([&](std::unique_ptr<KeyringStore> inner) {
                return std::unique_ptr<KeyringStore>(
                    std::make_unique<SteppedStore>(std::move(inner), step));
            });
            prepare(file);
            (void)commit_root();
            (void)begin(true, true);
            (void)keeper->ask_operator(keys::MakeRecoveryKit{1, 1});
            ::_exit(0);
        }
        int how = 0;
        EXPECT_EQ(::waitpid(child, &how, 0), child);
        EXPECT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
        root_bytes = changed ? key_in(file) : before;
        start_keeper();
        keeper->rotate();
        keeper.reset();
        const auto joined = join_recovery_shares(secret_of(shares_));
        auto store = keyring_store_of(folder);
        EXPECT_EQ(
            bytes_of(*crypto::box_open(*joined->kit, (*(*store)->recovery_kit())->root_key_box)),
            root_bytes);
        store = nullptr;
        start_keeper();
    }
}

TEST_F(RootRotationTest, nothing_is_wrapped_under_a_root_key_that_is_not_the_keyrings) {
    make_kit();
    const auto file = *os::empty_memory_file();
    prepare(file);
    ASSERT_TRUE(commit_root());
    keeper.reset();
    auto store = keyring_store_of(folder);
    const auto row = **(*store)->recovery_kit();
    const auto other = fingerprint(root_key());
    EXPECT_EQ(code_of((*store)->put_recovery_kit(row, other)), "conflict");
    RotationStart start;
    start.root_key = other;
    EXPECT_EQ(code_of((*store)->begin_rotation(start)), "conflict");
    start.root_key = fingerprint(Secret::copy_of(key_in(file)));
    EXPECT_TRUE((*store)->begin_rotation(start));
    root_bytes = key_in(file);
}

TEST_F(RootRotationTest, needs_a_kit_that_the_new_key_can_be_boxed_to) {
    const auto file = *os::empty_memory_file();
    auto refused = keeper->ask_operator(keys::PrepareRootKey{*os::duplicate(file), {}});
    EXPECT_EQ(code_of(refused), "no_recovery_kit");
}

TEST_F(RootRotationTest, kit_that_somebody_put_into_the_file_gets_no_key) {
    make_kit();
    keeper.reset();
    {
        auto store = keyring_store_of(folder);
        auto kit = **(*store)->recovery_kit();
        kit.public_wrap = crypto::make_box_pair().public_key;
        ASSERT_TRUE((*store)->put_recovery_kit(kit, fingerprint(root_key())));
    }
    start_keeper();
    const auto file = *os::empty_memory_file();
    prepare(file);
    EXPECT_FALSE(commit_root());
    EXPECT_EQ(wanted(), to_bytes(fingerprint(filled_key(root_fill))));
}

TEST_F(RootRotationTest, only_the_key_that_was_prepared_last_is_committed) {
    make_kit();
    const auto file = *os::empty_memory_file();
    EXPECT_EQ(code_of(commit_root()), "seal_changed");
    prepare(file);
    const auto first = fingerprint_;
    prepare(*os::empty_memory_file());
    fingerprint_ = first;
    EXPECT_EQ(code_of(commit_root()), "seal_changed");
}

TEST_F(RootRotationTest, works_between_two_generations_of_the_other_keys) {
    fill();
    make_kit();
    ASSERT_TRUE(begin(true, true));
    const auto file = *os::empty_memory_file();
    prepare(file);
    ASSERT_TRUE(commit_root());
    root_bytes = key_in(file);
    start_keeper();
    expect_everything_opens();
    keeper->rotate();
    expect_everything_opens();
    look();
    expect_everything_opens();
}

}  // namespace
}  // namespace postern::vault
