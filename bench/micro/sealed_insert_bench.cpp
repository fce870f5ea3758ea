// Messages a second into SQLite: each sealed under a key of its own that keeper made and wrapped,
// in transactions of 100, beside the same bytes as they are through SQLite alone. A third figure
// adds the row by which a reply finds the message, the index that there is. Prints one `name value`
// line each; works in the working directory.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/aead.h"
#include "foundation/crypto/hash.h"
#include "foundation/crypto/place.h"
#include "local_keeper.h"
#include "platform/keys/message_keys.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <sqlite3.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace postern {
namespace {

constexpr std::size_t k_messages = 100;  // in a transaction
// Short answers and long ones in turn: with a single length one would measure how it happens to
// fill a page. 1,965 bytes on average.
constexpr std::size_t k_text_bytes[] = {350, 2000, 700, 6000, 1200, 500, 3500, 900, 1500, 3000};
constexpr int k_transactions = 50;
constexpr int k_rounds = 5;
constexpr std::uint16_t k_column = 109;

constexpr store::Migration k_tables[] = {
    {1, "messages", "c",
     "CREATE TABLE messages (id {blob} NOT NULL PRIMARY KEY, body {blob} NOT NULL, "
     "wrap {blob} NOT NULL) STRICT;"
     "CREATE TABLE ids (mac {blob} NOT NULL PRIMARY KEY, id {blob} NOT NULL) STRICT;"},
};

/// The texts of a transaction.
std::vector<std::string> make_texts() {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < k_messages; ++i)
        texts.emplace_back(k_text_bytes[i % std::size(k_text_bytes)], 'x');
    return texts;
}

Bytes id_of(std::int64_t number) {
    Bytes bytes(16, 0);
    for (std::size_t i = 0; i < 8; ++i)
        bytes[8 + i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
    return bytes;
}

class Sealed {
public:
    explicit Sealed(bool with_index) : with_index_(with_index) {
        store::Database::Options options;
        options.file = with_index ? "indexed.db" : "sealed.db";
        options.create = true;
        options.readers = 0;
        options.migrations = k_tables;
        auto opened = store::Database::open(options);
        POSTERN_CHECK(opened.has_value());
        database_ = std::move(*opened);
        (void)keeper_.ask(keeper_.front(), keys::CreateSubjects{keeper_.workspace, {person_}});
    }
    ~Sealed() { database_->close(); }
    Sealed(const Sealed&) = delete;
    Sealed& operator=(const Sealed&) = delete;

    void transaction() {
        keys::SealKeys asked{keeper_.workspace, {}};
        for (std::size_t i = 0; i < k_messages; ++i) {
            asked.requests.push_back({k_column,
                                      id_of(next_ + static_cast<std::int64_t>(i)),
                                      keys::WrapMode::each,
                                      {person_}});
        }
        const auto rows = asked.requests;
        const auto made = keeper_.ask(keeper_.front(), std::move(asked));
        std::vector<store::SealedBytes> bodies;
        std::vector<store::SealedBytes> wraps;
        for (std::size_t i = 0; i < k_messages; ++i) {
            const crypto::Place place{
                .workspace = keeper_.workspace, .column = k_column, .row = rows[i].row, .epoch = 0};
            bodies.emplace_back(crypto::seal(made.keys[i].key, as_bytes(texts_[i]), place));
            wraps.emplace_back(made.keys[i].wraps.front());
        }
        const auto written = database_->write_now([&](store::Transaction& tx) -> Result<> {
            for (std::size_t i = 0; i < k_messages; ++i) {
                const auto id = store::Clear::bytes(rows[i].row);
                POSTERN_TRY(const auto inserted,
                            tx.execute("INSERT INTO messages (id, body, wrap) VALUES ($1, $2, $3)",
                                       {id, bodies[i], wraps[i]}));
                POSTERN_CHECK(inserted == 1);
                if (!with_index_) continue;
                const auto mac = crypto::hmac(mac_key_, rows[i].row);
                POSTERN_TRY(const auto indexed,
                            tx.execute("INSERT INTO ids (mac, id) VALUES ($1, $2)",
                                       {store::Clear::bytes(mac), id}));
                POSTERN_CHECK(indexed == 1);
            }
            return {};
        });
        POSTERN_CHECK(written.has_value());
        next_ += k_messages;
    }

private:
    bool with_index_;
    vault::LocalKeeper keeper_;
    CreatorId person_ = CreatorId::make(2);
    std::unique_ptr<store::Database> database_;
    Secret mac_key_ = Secret::copy_of(Bytes(32, 7));
    const std::vector<std::string> texts_ = make_texts();
    std::int64_t next_ = 1;
};

/// SQLite as our store sets it up: a log, and synced at each commit.
class Plain {
public:
    Plain() {
        POSTERN_CHECK(::sqlite3_open("plain.db", &db_) == SQLITE_OK);
        run("PRAGMA journal_mode = WAL");
        run("PRAGMA synchronous = FULL");
        run("CREATE TABLE messages (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT");
        const char* const sql = "INSERT INTO messages (id, body) VALUES (?1, ?2)";
        POSTERN_CHECK(::sqlite3_prepare_v2(db_, sql, -1, &insert_, nullptr) == SQLITE_OK);
    }
    ~Plain() {
        ::sqlite3_finalize(insert_);
        ::sqlite3_close(db_);
    }
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    void transaction() {
        run("BEGIN IMMEDIATE");
        for (const auto& text : texts_) {
            const auto id = id_of(next_++);
            ::sqlite3_bind_blob(insert_, 1, id.data(), static_cast<int>(id.size()), nullptr);
            ::sqlite3_bind_blob(insert_, 2, text.data(), static_cast<int>(text.size()), nullptr);
            POSTERN_CHECK(::sqlite3_step(insert_) == SQLITE_DONE);
            ::sqlite3_reset(insert_);
        }
        run("COMMIT");
    }

private:
    void run(const char* sql) {
        POSTERN_CHECK(::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    const std::vector<std::string> texts_ = make_texts();
    std::int64_t next_ = 1;
};

template <typename T>
double rate(T& of) {
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < k_transactions; ++i)
        of.transaction();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    return double(k_messages) * k_transactions / took.count();
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void run() {
    Plain plain;
    std::vector<double> of_plain;
    std::vector<double> of_sealed;
    std::vector<double> of_indexed;
    auto sealed = std::make_unique<Sealed>(false);
    for (int round = 0; round < k_rounds; ++round) {
        of_plain.push_back(rate(plain));
        of_sealed.push_back(rate(*sealed));
    }
    sealed.reset();
    Sealed indexed(true);
    for (int round = 0; round < k_rounds; ++round)
        of_indexed.push_back(rate(indexed));
    std::printf("plain %.0f\nsealed %.0f\nindexed %.0f\n", median(of_plain), median(of_sealed),
                median(of_indexed));
}

}  // namespace
}  // namespace postern

int main() {
    postern::run();
    return 0;
}
