#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/file_search.h"
#include "features/trust/finding.h"
#include "features/trust/people_records.h"
#include "features/trust/planted.h"
#include "features/trust/ports.h"
#include "features/trust/row_search.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/password.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/row.h"
#include "platform/store/table_text.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// A session's and a set-up link's.
constexpr std::size_t k_other_kinds = 2;
/// What a token's text has behind its kind: 32 random bytes in base64url.
constexpr std::size_t k_random_characters = 43;
constexpr std::size_t k_kind_characters = 4;

crypto::Hash hash_of(const Secret& text) {
    return text.with_bytes([](ByteView bytes) { return crypto::sha256(bytes); });
}

Bytes random_part(const Secret& text) {
    return text.with_bytes([](ByteView bytes) {
        const auto all = as_text(bytes);
        const auto at = all.size() > k_random_characters ? k_kind_characters : 0;
        return codec::parse_base64url(all.substr(at, k_random_characters)).value_or(Bytes{});
    });
}

/// Of nobody's token, which is gone in a moment.
std::vector<std::string> clear_forms(const Secret& text) {
    const auto random = random_part(text);
    auto whole = text.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
    return {std::move(whole), std::string(as_text(random)), codec::hex(random),
            codec::base64(random)};
}

/// Where it would be stored.
constexpr std::string_view k_bearer_tables[] = {"api_tokens", "sessions", "meta"};

Result<std::size_t> tables_with(Transaction& tx, const FileSearch& search) {
    std::size_t with = 0;
    for (const auto& table : store::table_texts(store::StoreKind::store)) {
        if (std::ranges::find(k_bearer_tables, table.name) == std::end(k_bearer_tables)) continue;
        std::uint64_t hits = 0;
        std::vector<store::Cell> after;
        do {
            POSTERN_TRY(auto part, search_rows(tx, table, search, std::move(after)));
            hits += part.found.hits;
            after = std::move(part.last);
        } while (!after.empty());
        with += hits > 0 ? 1U : 0U;
    }
    return with;
}

/// How many of them would be stored as anything but their hash; `planted`: as their random bytes.
std::size_t judge_others(const std::vector<Bearers::Made>& made, bool planted) {
    std::size_t bad = 0;
    for (const auto& each : made) {
        const auto stored = planted ? random_part(each.text) : to_bytes(each.stored);
        bad += std::ranges::equal(stored, hash_of(each.text)) ? 0U : 1U;
    }
    return made.size() == k_other_kinds ? bad : k_other_kinds;
}

std::size_t count_weak(const std::vector<Bytes>& passwords) {
    return static_cast<std::size_t>(std::ranges::count_if(passwords, [](const Bytes& stored) {
        const auto cost = crypto::cost_of_hash(as_text(stored));
        return !cost || cost->memory_kib < k_cost_least.memory_kib ||
               cost->passes < k_cost_least.passes;
    }));
}

/// The claims about what is stored, and what they share. Lifetime: held by their closures.
class Data {
public:
    explicit Data(Grounds grounds) : grounds_(std::move(grounds)) {}

    async::Task<Finding> hashed(bool planted);
    async::Task<Finding> own_threads(bool planted);
    async::Task<Finding> complete(bool planted);

private:
    /// What is stored, as far as nothing has to be opened for it.
    struct Hashes {
        std::vector<rows::OfPerson> passwords;
        rows::TokenHashes tokens;
        bool token_is_hashed = false;    ///< the one that was made for this
        std::size_t token_in_clear = 0;  ///< tables that show it
    };
    async::Task<Hashes> hashes(const Bearers::Token* token, bool planted);
    async::Task<Finding> hashed_beside(const Bearers::Token* token, bool planted);

    Grounds grounds_;
};

async::Task<Data::Hashes> Data::hashes(const Bearers::Token* token, bool planted) {
    const auto hash = hash_of(token->text);
    const auto search = std::make_shared<const FileSearch>(clear_forms(token->text));
    const auto id = token->id;
    const auto look = [id, hash, search](Transaction& tx) -> Result<Hashes> {
        Hashes out;
        POSTERN_TRY(out.passwords, rows::passwords(tx, k_passwords_max));
        POSTERN_TRY(out.tokens, rows::token_hashes(tx));
        POSTERN_TRY(const auto stored, rows::stored_token(tx, id));
        out.token_is_hashed = std::ranges::equal(stored, hash);
        POSTERN_TRY(out.token_in_clear, tables_with(tx, *search));
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
    // As long as its hash would be: the form does not tell.
    const auto raw = random_part(token->text);
    const auto plant = [person, id, raw,
                        content = sealed->contents.front()](Transaction& tx) -> Result<> {
        if (auto put = rows::plant_person(tx, person, content); !put) return put;
        if (auto put = rows::plant_stored_token(tx, id, raw); !put) return put;
        return rows::plant_token(tx, as_bytes("pst_a token in clear"));
    };
    co_return co_await with_planted<Hashes>(&grounds_.database, plant, look);
}

async::Task<Finding> Data::hashed(bool planted) {
    const auto token = co_await grounds_.bearers.create_token();
    if (!token) co_return fail(token.error());
    auto looking = hashed_beside(&*token, planted);
    auto finding = co_await std::move(looking);
    const auto deleted = co_await grounds_.bearers.delete_token(token->workspace, token->id);
    if (!deleted) co_return fail(deleted.error());
    co_return finding;
}

async::Task<Finding> Data::hashed_beside(const Bearers::Token* token, bool planted) {
    auto seeing = hashes(token, planted);
    auto seen = co_await std::move(seeing);
    if (!seen) co_return fail(std::move(seen.error()));
    const auto accounts = seen->passwords.size();
    auto opened =
        co_await open_people(&grounds_.keeper, column::password.value, std::move(seen->passwords));
    if (!opened) co_return fail(std::move(opened.error()));
    const auto weak = count_weak(*opened);
    const auto others = judge_others(grounds_.bearers.make_others(), planted);
    Finding finding;
    add(finding, weak == 0,
        std::to_string(accounts) + " passwords: each an Argon2id hash of at least " +
            std::to_string(k_cost_least.memory_kib) + " KiB",
        std::to_string(weak) + " of " + std::to_string(accounts) +
            " passwords are no Argon2id hash of the least cost");
    add(finding, seen->tokens.malformed == 0,
        std::to_string(seen->tokens.total - 1) +
            " sessions and API tokens of others: each as long as a hash",
        std::to_string(seen->tokens.malformed) + " sessions and API tokens are no hash");
    add(finding, seen->token_is_hashed,
        "an API token made for this, as all are: what is stored of it is its hash",
        "an API token made for this is not stored as its hash");
    add(finding, seen->token_in_clear == 0, "neither its text nor its random bytes stand beside it",
        "an API token made for this stands in clear in " + std::to_string(seen->token_in_clear) +
            " tables");
    add(finding, others == 0, "a session and a set-up link made for this: each would be a hash",
        std::to_string(others) + " of a session and a set-up link would not be stored as a hash");
    // The control planted one of each: all have to be seen.
    const bool all_seen = weak > 0 && seen->tokens.malformed > 0 && !seen->token_is_hashed &&
                          seen->token_in_clear > 0 && others == k_other_kinds;
    if (planted && !all_seen) finding.faults.clear();
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
    add(finding, seen->raw_of_none == 0, "no raw mail is stored but those of messages",
        std::to_string(seen->raw_of_none) + " raw mails are of no message");
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
    // The control planted one for each count.
    const bool all_seen = seen->without_thread > 0 && seen->raw_of_none > 0 &&
                          seen->kept_unread > 0 && seen->read_unkept > 0 &&
                          seen->other_commands > 0;
    if (planted && !all_seen) finding.faults.clear();
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
        "every stored password is unsealed and its form and cost looked at; an API token of "
        "nobody's is made as all are, what is stored of it compared with its hash and its text "
        "and random bytes looked for beside it, and what would be stored of a session and a set-up "
        "link compared; every session and token of somebody's by its length alone";
    claim.planted =
        "an account whose password is stored in clear, a token in clear, and the random bytes of "
        "one in the place of its hash: each has to be seen";
    claim.cost = "one record opened for each account";
    claim.check = [data] { return data->hashed(false); };
    claim.control = [data] { return data->hashed(true); };
    return claim;
}

Claim own_threads_claim(const std::shared_ptr<Data>& data) {
    Claim claim;
    claim.id = "P10.own-threads";
    claim.text =
        "Of a connected mailbox only mail of threads that were started here is stored, and of no "
        "other mail does the read ledger tell that it was read.";
    claim.method =
        "every received mail has to be in a thread that a mail of ours began, every raw mail a "
        "message's, and for every body "
        "that was fetched the read ledger and the history have to agree; the ledger is what this "
        "server writes of its own reading: what crossed the wire beside it only the provider's log "
        "shows";
    claim.planted =
        "a received mail that answers nothing of ours, a body that was read and not kept, and a "
        "read of another kind: each has to be seen";
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
