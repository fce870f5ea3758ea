#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/file_search.h"
#include "features/trust/people_records.h"
#include "features/trust/planted.h"
#include "features/trust/row_search.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/codec/compress.h"
#include "foundation/crypto/random.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/row.h"
#include "platform/store/table_text.h"
#include "platform/store/transaction.h"

#include <algorithm>
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

constexpr std::int64_t k_people_max = 10'000;
constexpr std::int64_t k_threads_max = 50;
constexpr std::int64_t k_workspaces_max = 1'000;

/// What is opened to be searched for, as far as it is looked at.
struct Words {
    std::vector<std::string> words;
    std::size_t threads = 0;
    std::size_t people = 0;
    std::size_t workspaces = 0;
    std::size_t of_schema = 0;  ///< were left out
};

/// "12 values searched for", and what of them was not.
std::string searched_for(std::size_t words, const FileSearch::LeftOut& left_out) {
    return std::to_string(words) +
           " values searched for (left out: " + std::to_string(left_out.above_limit) +
           " above the limit of " + std::to_string(FileSearch::k_words_max) + ", " +
           std::to_string(left_out.by_length) + " shorter than " +
           std::to_string(FileSearch::k_word_bytes_min) + " bytes or too long) in ";
}

using Search = std::shared_ptr<const FileSearch>;

/// Words of nobody's, and what they make one behind the other: as it is, in UTF-16, in base64 and
/// within a zstd frame.
struct PlantedWords {
    std::vector<std::string> words;
    Bytes bytes;
};
PlantedWords planted_words() {
    PlantedWords out;
    const auto fresh = [&out]() -> std::string {
        return out.words.emplace_back(codec::hex(crypto::random_bytes(12)));
    };
    const auto append = [&out](ByteView bytes) {
        out.bytes.insert(out.bytes.end(), bytes.begin(), bytes.end());
    };
    append(as_bytes(fresh()));
    for (const char unit : fresh()) {
        out.bytes.push_back(static_cast<std::uint8_t>(unit));
        out.bytes.push_back(0);
    }
    append(as_bytes(codec::base64(as_bytes("a" + fresh()))));
    // Among so much of its kind that a frame does not show it as it is.
    append(codec::compress(as_bytes(codec::hex(crypto::random_bytes(500)) + fresh())));
    return out;
}

/// The claim about what stands in clear. Lifetime: held by its closures.
class AtRest {
public:
    explicit AtRest(Grounds grounds) : grounds_(std::move(grounds)) {}

    async::Task<Finding> check();
    async::Task<Finding> control();

private:
    /// Of one store's rows.
    struct Rows {
        std::int64_t rows = 0;
        std::uint64_t bytes = 0;
        std::vector<std::string> hit;  ///< tables
    };
    /// Of all files.
    struct Files {
        FileSearch::Found found;
        std::size_t count = 0;
        std::vector<std::string> hit;
    };
    [[nodiscard]] bool on_server() const { return grounds_.store_files.empty(); }
    async::Task<Words> words();
    async::Task<Words> without_schema(Words words);
    async::Task<Finding> search(std::vector<std::string> words);
    async::Task<Files> search_files(Search search);
    async::Task<Rows> search_rows_of_all(Search search);
    async::Task<Rows> search_rows_of(store::Database* database,
                                     store::StoreKind kind,
                                     Search search);
    async::Task<std::size_t> seen_in_files(Bytes planted, Search search);
    async::Task<std::size_t> seen_in_rows(Bytes planted, Search search);

    Grounds grounds_;
    HeldFiles files_;
    async::BlockingPool pool_{{.threads = 1, .queue_max = 1}};
};

async::Task<Words> AtRest::words() {
    Words out;
    struct Seen {
        std::vector<rows::ThreadRef> threads;
        std::vector<rows::OfPerson> people;
        std::vector<rows::OfWorkspace> workspaces;
    };
    const auto body = [](Transaction& tx) -> Result<Seen> {
        Seen seen;
        POSTERN_TRY(seen.threads, rows::newest_threads(tx, k_threads_max));
        POSTERN_TRY(seen.people, rows::addresses(tx, k_people_max));
        POSTERN_TRY(seen.workspaces, rows::workspace_names(tx, k_workspaces_max));
        return seen;
    };
    auto seen = co_await grounds_.database.read(body);
    if (!seen) co_return fail(std::move(seen.error()));
    for (const auto& thread : seen->threads) {
        auto opened = co_await grounds_.history.open(thread.workspace, thread.thread);
        if (!opened) co_return fail(std::move(opened.error()));
        for (auto& word : opened->words)
            out.words.push_back(std::move(word));
    }
    out.threads = seen->threads.size();
    out.people = seen->people.size();
    out.workspaces = seen->workspaces.size();
    auto addresses =
        co_await open_people(&grounds_.keeper, column::address.value, std::move(seen->people));
    if (!addresses) co_return fail(std::move(addresses.error()));
    for (const auto& address : *addresses)
        out.words.emplace_back(as_text(address));
    auto names = co_await open_workspace_names(&grounds_.keeper, std::move(seen->workspaces));
    if (!names) co_return fail(std::move(names.error()));
    for (auto& name : *names)
        out.words.push_back(std::move(name));
    if (on_server()) co_return out;
    co_return co_await without_schema(std::move(out));
}

/// Anybody may be called "messages", or write under a subject of that name.
async::Task<Words> AtRest::without_schema(Words words) {
    const auto body = [](Transaction& tx) { return rows::schema_text(tx); };
    const auto store = co_await grounds_.database.read(body);
    if (!store) co_return fail(store.error());
    const auto index = co_await grounds_.index.read(body);
    if (!index) co_return fail(index.error());
    words.of_schema = std::erase_if(words.words, [&](const std::string& word) {
        return word.size() >= FileSearch::k_word_bytes_min &&
               (store->find(word) != std::string::npos || index->find(word) != std::string::npos);
    });
    co_return words;
}

async::Task<Finding> AtRest::search(std::vector<std::string> words) {
    const Search search =
        std::make_shared<const FileSearch>(std::move(words), FileSearch::Forms::readable);
    auto in_rows = search_rows_of_all(search);
    const auto rows = co_await std::move(in_rows);
    if (!rows) co_return fail(rows.error());
    Finding finding;
    auto told = searched_for(search->words(), search->left_out()) + std::to_string(rows->rows) +
                " rows, " + std::to_string(rows->bytes >> 10U) +
                " KiB of text and blobs: all of every table of store and index";
    for (const auto& table : rows->hit)
        finding.faults.push_back("personal data stands in clear in table " + table);
    if (on_server()) {
        finding.evidence.push_back(std::move(told));
        finding.evidence.emplace_back(
            "not looked at: what lies on the database's server outside the rows (its log, its "
            "heap's remains of deleted rows, its backups), and the keyring, which only keeper "
            "reads");
        co_return finding;
    }
    auto in_files = search_files(search);
    const auto files = co_await std::move(in_files);
    if (!files) co_return fail(files.error());
    finding.evidence.push_back(told + ", and " + std::to_string(files->found.bytes >> 10U) +
                               " KiB of " + std::to_string(files->count) +
                               " files of the store, copies from before migrations included");
    for (const auto& name : files->hit)
        finding.faults.push_back("personal data stands in clear in " + name);
    co_return finding;
}

async::Task<AtRest::Files> AtRest::search_files(Search search) {
    auto files = files_.open(grounds_.store_files);
    if (!files) co_return fail(std::move(files.error()));
    if (files->empty()) co_return fail(TrustError::out_of_sight, "no file of the store is there");
    const auto work = [files = std::move(*files), search = std::move(search)]() -> Result<Files> {
        Files out;
        out.count = files.size();
        for (const auto& file : files) {
            POSTERN_TRY(auto found, search->search(file.descriptor));
            out.found.bytes += found.bytes;
            out.found.words.merge(found.words);
            if (found.hits > 0) out.hit.push_back(file.name);
        }
        return out;
    };
    co_return co_await pool_.run(work);
}

/// In short transactions: neither a reader of ours nor a snapshot of the server is held for long.
async::Task<AtRest::Rows> AtRest::search_rows_of(store::Database* database,
                                                 store::StoreKind kind,
                                                 Search search) {
    Rows out;
    for (const auto& table : store::table_texts(kind)) {
        std::uint64_t hits = 0;
        std::vector<store::Cell> after;
        do {
            const auto body = [search, &table, after](Transaction& tx) {
                return search_rows(tx, table, *search, after);
            };
            auto part = co_await database->read(body);
            if (!part) co_return fail(std::move(part.error()));
            out.rows += part->rows;
            out.bytes += part->found.bytes;
            hits += part->found.hits;
            after = std::move(part->last);
        } while (!after.empty());
        if (hits > 0) out.hit.emplace_back(table.name);
    }
    co_return out;
}

async::Task<AtRest::Rows> AtRest::search_rows_of_all(Search search) {
    auto seen = co_await search_rows_of(&grounds_.database, store::StoreKind::store, search);
    if (!seen) co_return fail(std::move(seen.error()));
    auto index = co_await search_rows_of(&grounds_.index, store::StoreKind::index, search);
    if (!index) co_return fail(std::move(index.error()));
    seen->rows += index->rows;
    seen->bytes += index->bytes;
    seen->hit.insert(seen->hit.end(), index->hit.begin(), index->hit.end());
    co_return seen;
}

async::Task<std::size_t> AtRest::seen_in_files(Bytes planted, Search search) {
    const auto put = [planted = std::move(planted)](Transaction& tx) {
        return rows::put_marker(tx, planted);
    };
    auto marked = co_await grounds_.database.write(put);
    if (!marked) co_return fail(std::move(marked.error()));
    auto searching = search_files(std::move(search));
    auto seen = co_await std::move(searching);
    const auto take = [](Transaction& tx) { return rows::take_marker(tx); };
    auto unmarked = co_await grounds_.database.write(take);
    if (!unmarked) co_return fail(std::move(unmarked.error()));
    if (!seen) co_return fail(std::move(seen.error()));
    co_return seen->found.words.size();
}

/// In its table alone: while the transaction lasts nobody else writes.
async::Task<std::size_t> AtRest::seen_in_rows(Bytes planted, Search search) {
    const auto tables = store::table_texts(store::StoreKind::store);
    const auto meta = std::ranges::find(tables, std::string_view("meta"), &store::TableText::name);
    if (meta == tables.end()) co_return fail(TrustError::out_of_sight);
    const auto plant = [planted = std::move(planted)](Transaction& tx) {
        return rows::put_marker(tx, planted);
    };
    const auto look = [search, table = &*meta](Transaction& tx) {
        return search_rows(tx, *table, *search, {});
    };
    const auto seen = co_await with_planted<SearchedRows>(&grounds_.database, plant, look);
    if (!seen) co_return fail(seen.error());
    co_return seen->found.words.size();
}

/// A word of its own in each form: one that is not seen spoils it.
async::Task<Finding> AtRest::control() {
    auto planted = planted_words();
    const auto wanted = planted.words.size();
    const Search search =
        std::make_shared<const FileSearch>(std::move(planted.words), FileSearch::Forms::readable);
    auto in_rows = seen_in_rows(planted.bytes, search);
    const auto of_rows = co_await std::move(in_rows);
    if (!of_rows) co_return fail(of_rows.error());
    bool all_seen = *of_rows == wanted;
    if (!on_server()) {
        auto in_files = seen_in_files(std::move(planted.bytes), search);
        const auto of_files = co_await std::move(in_files);
        if (!of_files) co_return fail(of_files.error());
        all_seen = all_seen && *of_files == wanted;
    }
    Finding finding;
    if (all_seen) finding.faults.emplace_back("a planted value is seen in each form");
    co_return finding;
}

async::Task<Finding> AtRest::check() {
    auto known = co_await words();
    if (!known) co_return fail(std::move(known.error()));
    auto finding = co_await search(std::move(known->words));
    if (!finding) co_return finding;
    finding->evidence.push_back(
        "they are the subjects, the names and addresses of people and how the texts begin of " +
        std::to_string(known->threads) + " threads, the addresses of " +
        std::to_string(known->people) + " accounts and the names of " +
        std::to_string(known->workspaces) + " workspaces");
    if (known->of_schema > 0) {
        finding->evidence.push_back(
            std::to_string(known->of_schema) +
            " of them are left out: they are words of the tables' own text");
    }
    co_return finding;
}

}  // namespace

std::vector<Claim> at_rest_claims(Grounds grounds) {
    const auto at_rest = std::make_shared<AtRest>(std::move(grounds));
    Claim claim;
    claim.id = "P7.at-rest";
    claim.text =
        "Names, addresses, subjects and how texts begin stand nowhere in the store in clear, be it "
        "as they are, in UTF-16, in base64 or compressed.";
    claim.method =
        "subjects, people's names and addresses and how texts begin, of the newest threads, the "
        "addresses of accounts and the names of workspaces are opened and searched for in each of "
        "these forms, and within whatever inflates as zstd: in every text and blob of its rows, "
        "and where it is no PostgreSQL in all its files, its log and the copies from before "
        "migrations included (frames there as far as they stand in one piece)";
    claim.planted =
        "one value in each of these forms: in a row that is rolled back, and for the files in one "
        "that is committed and taken away again; each has to be seen";
    claim.cost = "reads every row of the store once, and its files twice";
    claim.check = [at_rest] { return at_rest->check(); };
    claim.control = [at_rest] { return at_rest->control(); };
    return {claim};
}

}  // namespace postern::trust
