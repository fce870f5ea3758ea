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
    [[nodiscard]] bool on_server() const { return grounds_.store_files.empty(); }
    async::Task<Words> words();
    async::Task<Words> without_schema(Words words);
    async::Task<Finding> search(std::vector<std::string> words);
    async::Task<Finding> search_files(std::vector<std::string> words);
    async::Task<Finding> search_rows_of_all(std::vector<std::string> words);
    async::Task<Rows> search_rows_of(store::Database* database,
                                     store::StoreKind kind,
                                     Search search);
    async::Task<Finding> planted_in_files(std::string marker);
    async::Task<Finding> planted_in_rows(std::string marker);

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
    if (on_server()) co_return co_await search_rows_of_all(std::move(words));
    co_return co_await search_files(std::move(words));
}

async::Task<Finding> AtRest::search_files(std::vector<std::string> words) {
    auto files = files_.open(grounds_.store_files);
    if (!files) co_return fail(std::move(files.error()));
    if (files->empty()) co_return fail(TrustError::out_of_sight, "no file of the store is there");
    struct Seen {
        FileSearch::Found found;
        std::vector<std::string> hit;
        std::size_t words = 0;
        FileSearch::LeftOut left_out;
    };
    const auto count = files->size();
    const auto work = [files = std::move(*files), words = std::move(words)]() -> Result<Seen> {
        const FileSearch search(words);
        Seen seen;
        seen.words = search.words();
        seen.left_out = search.left_out();
        for (const auto& file : files) {
            POSTERN_TRY(const auto found, search.search(file.descriptor));
            seen.found.bytes += found.bytes;
            seen.found.hits += found.hits;
            if (found.hits > 0) seen.hit.push_back(file.name);
        }
        return seen;
    };
    const auto seen = co_await pool_.run(work);
    if (!seen) co_return fail(seen.error());
    Finding finding;
    finding.evidence.push_back(searched_for(seen->words, seen->left_out) +
                               std::to_string(seen->found.bytes >> 10U) + " KiB of " +
                               std::to_string(count) +
                               " files of the store, copies from before migrations included");
    for (const auto& name : seen->hit)
        finding.faults.push_back("personal data stands in clear in " + name);
    co_return finding;
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
            out.bytes += part->bytes;
            hits += part->hits;
            after = std::move(part->last);
        } while (!after.empty());
        if (hits > 0) out.hit.emplace_back(table.name);
    }
    co_return out;
}

async::Task<Finding> AtRest::search_rows_of_all(std::vector<std::string> words) {
    const Search search = std::make_shared<const FileSearch>(std::move(words));
    auto seen = co_await search_rows_of(&grounds_.database, store::StoreKind::store, search);
    if (!seen) co_return fail(std::move(seen.error()));
    auto index = co_await search_rows_of(&grounds_.index, store::StoreKind::index, search);
    if (!index) co_return fail(std::move(index.error()));
    seen->hit.insert(seen->hit.end(), index->hit.begin(), index->hit.end());
    Finding finding;
    finding.evidence.push_back(searched_for(search->words(), search->left_out()) +
                               std::to_string(seen->rows + index->rows) + " rows, " +
                               std::to_string((seen->bytes + index->bytes) >> 10U) +
                               " KiB of text and blobs: all of every table of store and index");
    finding.evidence.emplace_back(
        "not looked at: what lies on the database's server outside the rows (its log, its heap's "
        "remains of deleted rows, its backups), and the keyring, which only keeper reads");
    for (const auto& table : seen->hit)
        finding.faults.push_back("personal data stands in clear in table " + table);
    co_return finding;
}

async::Task<Finding> AtRest::planted_in_files(std::string marker) {
    const auto put = [marker](Transaction& tx) { return rows::put_marker(tx, marker); };
    auto marked = co_await grounds_.database.write(put);
    if (!marked) co_return fail(std::move(marked.error()));
    std::vector<std::string> words;
    words.push_back(std::move(marker));
    auto finding = co_await search_files(std::move(words));
    const auto take = [](Transaction& tx) { return rows::take_marker(tx); };
    auto unmarked = co_await grounds_.database.write(take);
    if (!unmarked) co_return fail(std::move(unmarked.error()));
    co_return finding;
}

/// In its table alone: while the transaction lasts nobody else writes.
async::Task<Finding> AtRest::planted_in_rows(std::string marker) {
    const auto tables = store::table_texts(store::StoreKind::store);
    const auto meta = std::ranges::find(tables, std::string_view("meta"), &store::TableText::name);
    if (meta == tables.end()) co_return fail(TrustError::out_of_sight);
    std::vector<std::string> words;
    words.push_back(marker);
    const Search search = std::make_shared<const FileSearch>(std::move(words));
    const auto plant = [marker](Transaction& tx) { return rows::put_marker(tx, marker); };
    const auto look = [search, table = &*meta](Transaction& tx) {
        return search_rows(tx, *table, *search, {});
    };
    const auto seen = co_await with_planted<SearchedRows>(&grounds_.database, plant, look);
    if (!seen) co_return fail(seen.error());
    Finding finding;
    if (seen->hits > 0) finding.faults.emplace_back("a planted value in clear is seen");
    co_return finding;
}

async::Task<Finding> AtRest::control() {
    auto marker = codec::base64(crypto::random_bytes(24));
    if (on_server()) co_return co_await planted_in_rows(std::move(marker));
    co_return co_await planted_in_files(std::move(marker));
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
        "Names, addresses, subjects and how texts begin, each as it is, stand nowhere in the store "
        "in clear.";
    claim.method =
        "subjects, people's names and addresses and how texts begin, of the newest threads, the "
        "addresses of accounts and the names of workspaces are opened and searched for, byte for "
        "byte: in all files of the store, its log and the copies from before migrations included, "
        "or where it is on PostgreSQL in every text and blob of its rows";
    claim.planted =
        "a value in clear that is committed and taken away again; on PostgreSQL rolled back";
    claim.cost = "reads every file of the store, or every row of it, once";
    claim.check = [at_rest] { return at_rest->check(); };
    claim.control = [at_rest] { return at_rest->control(); };
    return {claim};
}

}  // namespace postern::trust
