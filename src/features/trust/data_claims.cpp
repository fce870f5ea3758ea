#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/people_records.h"
#include "features/trust/planted.h"
#include "features/trust/ports.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

namespace column = store::data_map::store::people;
using store::Transaction;

constexpr std::int64_t k_passwords_max = 10'000;
constexpr std::int64_t k_threads_max = 50;
/// OWASP's least for Argon2id, which is also the least that the configuration takes.
constexpr crypto::Argon2Cost k_cost_least{.passes = 1, .memory_kib = 19 * 1024};

/// The claims about what is stored, and what they share. Lifetime: held by their closures.
class Data {
public:
    explicit Data(Grounds grounds) : grounds_(std::move(grounds)) {}

    async::Task<Finding> hashed(bool planted);
    async::Task<Finding> own_threads(bool planted);
    async::Task<Finding> complete(bool planted);

private:
    struct Hashes {
        std::vector<rows::OfPerson> passwords;
        rows::TokenHashes tokens;
    };
    async::Task<Hashes> hashes(bool planted);

    Grounds grounds_;
};

async::Task<Data::Hashes> Data::hashes(bool planted) {
    const auto look = [](Transaction& tx) -> Result<Hashes> {
        Hashes out;
        POSTERN_TRY(out.passwords, rows::passwords(tx, k_passwords_max));
        POSTERN_TRY(out.tokens, rows::token_hashes(tx));
        return out;
    };
    if (!planted) co_return co_await grounds_.database.read(look);
    const auto person = PersonId::make(0);
    keys::SealRecords ask;
    ask.workspace = k_installation;
    ask.records.push_back(
        {column::password.value, crypto::row_key(person), to_bytes("a password in clear")});
    auto sealed = co_await grounds_.keeper.call(std::move(ask), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    if (sealed->contents.size() != 1) co_return fail(TrustError::out_of_sight);
    const auto plant = [person, content = sealed->contents.front()](Transaction& tx) -> Result<> {
        if (auto put = rows::plant_person(tx, person, content); !put) return put;
        return rows::plant_token(tx, as_bytes("pst_a token in clear"));
    };
    co_return co_await with_planted<Hashes>(&grounds_.database, plant, look);
}

async::Task<Finding> Data::hashed(bool planted) {
    auto seen = co_await hashes(planted);
    if (!seen) co_return fail(std::move(seen.error()));
    const auto accounts = seen->passwords.size();
    auto opened =
        co_await open_people(&grounds_.keeper, column::password.value, std::move(seen->passwords));
    if (!opened) co_return fail(std::move(opened.error()));
    std::size_t weak = 0;
    for (const auto& stored : *opened) {
        const auto cost = crypto::cost_of_hash(as_text(stored));
        const bool good = cost && cost->memory_kib >= k_cost_least.memory_kib &&
                          cost->passes >= k_cost_least.passes;
        weak += good ? 0U : 1U;
    }
    Finding finding;
    add(finding, weak == 0,
        std::to_string(accounts) + " passwords: each an Argon2id hash of at least " +
            std::to_string(k_cost_least.memory_kib) + " KiB",
        std::to_string(weak) + " of " + std::to_string(accounts) +
            " passwords are no Argon2id hash of the least cost");
    add(finding, seen->tokens.malformed == 0,
        std::to_string(seen->tokens.total) + " sessions and API tokens: each a hash of 32 bytes",
        std::to_string(seen->tokens.malformed) + " sessions and API tokens are no hash");
    // The control planted one of each: both have to be seen.
    if (planted && (weak == 0 || seen->tokens.malformed == 0)) finding.faults.clear();
    co_return finding;
}

async::Task<Finding> Data::own_threads(bool planted) {
    const auto look = [](Transaction& tx) { return rows::reading(tx); };
    const auto plant = [](Transaction& tx) { return rows::plant_foreign_mail(tx); };
    auto seen = co_await with_fault<rows::Reading>(&grounds_.database, planted, plant, look);
    if (!seen) co_return fail(std::move(seen.error()));
    Finding finding;
    add(finding, seen->without_thread == 0,
        std::to_string(seen->received) +
            " received mails: each in a thread that a mail of ours began",
        std::to_string(seen->without_thread) + " received mails are in no thread of ours");
    add(finding, seen->kept_unread == 0 && seen->read_unkept == 0,
        std::to_string(seen->bodies_fetched) +
            " bodies fetched, each of a mail that is in the history, by the read ledger",
        std::to_string(seen->kept_unread + seen->read_unkept) +
            " integrations whose read ledger and history do not agree");
    add(finding, seen->other_commands == 0,
        "every line of the read ledger is of a kind that shows no other mail",
        std::to_string(seen->other_commands) + " lines of the read ledger are of another kind");
    if (seen->by_fields > 0) {
        finding.evidence.push_back(std::to_string(seen->by_fields) +
                                   " times a server that cannot search was asked for the reply "
                                   "fields of new mail, and nothing else of it");
    }
    // The control planted a mail that both counts have to see.
    if (planted && (seen->without_thread == 0 || seen->kept_unread == 0)) finding.faults.clear();
    co_return finding;
}

async::Task<Finding> Data::complete(bool planted) {
    struct Seen {
        rows::Completeness counts;
        rows::Reading reading;
        std::vector<rows::ThreadRef> threads;
    };
    const auto look = [](Transaction& tx) -> Result<Seen> {
        Seen out;
        POSTERN_TRY(out.counts, rows::completeness(tx));
        POSTERN_TRY(out.reading, rows::reading(tx));
        POSTERN_TRY(out.threads, rows::newest_threads(tx, k_threads_max));
        POSTERN_TRY(auto ended, rows::threads_of_ended(tx, k_threads_max));
        out.threads.insert(out.threads.end(), ended.begin(), ended.end());
        return out;
    };
    const auto plant = [](Transaction& tx) { return rows::plant_gaps(tx); };
    auto seen = co_await with_fault<Seen>(&grounds_.database, planted, plant, look);
    if (!seen) co_return fail(std::move(seen.error()));
    const auto& counts = seen->counts;
    const auto lost = counts.numbers_missing + counts.without_key + counts.without_raw +
                      counts.lost_in_queue + seen->reading.read_unkept;
    Finding finding;
    add(finding, lost == 0,
        std::to_string(counts.messages) + " messages in " + std::to_string(counts.threads) +
            " threads: no number of ours is missing, each has its keys and its bytes",
        std::to_string(counts.numbers_missing) + " threads lack a mail of ours, " +
            std::to_string(seen->reading.read_unkept) + " integrations lack one that was read, " +
            std::to_string(counts.without_key + counts.without_raw + counts.lost_in_queue) +
            " messages lack keys, bytes or themselves");
    // The control planted one for each count: a single one that sees nothing spoils it.
    const bool all_seen = counts.numbers_missing > 0 && counts.without_key > 0 &&
                          counts.without_raw > 0 && counts.lost_in_queue > 0 &&
                          seen->reading.read_unkept > 0;
    if (planted && !all_seen) finding.faults.clear();
    if (planted) co_return finding;
    std::size_t messages = 0;
    std::size_t unreadable = 0;
    for (const auto& thread : seen->threads) {
        const auto opened = co_await grounds_.history.open(thread.workspace, thread.thread);
        if (!opened) co_return fail(opened.error());
        messages += opened->messages;
        unreadable += opened->unreadable + opened->raw_unreadable;
    }
    add(finding, unreadable == 0,
        std::to_string(messages) +
            " messages opened, with their raw mails, also of integrations "
            "that are gone: all are readable",
        std::to_string(unreadable) + " of " + std::to_string(messages) + " messages do not open");
    co_return finding;
}

Claim hashed_claim(const std::shared_ptr<Data>& data) {
    Claim claim;
    claim.id = "P7.hashed";
    claim.text =
        "Passwords are stored as Argon2id hashes, sessions and API tokens as hashes: none can be "
        "read back.";
    claim.method =
        "every stored password is unsealed and its form and cost looked at; every "
        "session and token by its length";
    claim.planted = "an account whose password is stored in clear, and a token in clear";
    claim.cost = "one record opened for each account";
    claim.check = [data] { return data->hashed(false); };
    claim.control = [data] { return data->hashed(true); };
    return claim;
}

Claim own_threads_claim(const std::shared_ptr<Data>& data) {
    Claim claim;
    claim.id = "P10.own-threads";
    claim.text =
        "Only threads that were started here are read or stored; of other mail in a connected "
        "mailbox nothing is.";
    claim.method =
        "every received mail has to be in a thread that a mail of ours began, and for every body "
        "that was fetched the read ledger and the history have to agree";
    claim.planted = "a received mail that answers nothing of ours";
    claim.cost = "counts over messages and read ledger";
    claim.check = [data] { return data->own_threads(false); };
    claim.control = [data] { return data->own_threads(true); };
    return claim;
}

Claim complete_claim(const std::shared_ptr<Data>& data) {
    Claim claim;
    claim.id = "P11.complete";
    claim.text = "The outreach history is complete, and can be read after the integration is gone.";
    claim.method =
        "the numbers of our mails have no gap, every message has its keys and bytes, no mail that "
        "was read is missing; the newest threads and those of ended integrations are opened";
    claim.planted =
        "a thread with a sent mail missing and one without keys and bytes, a queued mail without "
        "its message, and a body that was read and is in no history";
    claim.cost = "counts over all messages; opens at most 100 threads with their raw mails";
    claim.check = [data] { return data->complete(false); };
    claim.control = [data] { return data->complete(true); };
    return claim;
}

}  // namespace

std::vector<Claim> data_claims(Grounds grounds) {
    const auto data = std::make_shared<Data>(std::move(grounds));
    return {hashed_claim(data), own_threads_claim(data), complete_claim(data)};
}

}  // namespace postern::trust
