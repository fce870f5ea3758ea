// store_insert_bench FOLDER DATABASE USER: rows a second into PostgreSQL, through our layer and
// with libpq alone, pipelined: the same rows in transactions of the same size, in turns.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/server.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <libpq-fe.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace postern::store {
namespace {

constexpr std::int64_t k_rows = 2000;  // in a transaction
constexpr int k_transactions = 20;
constexpr int k_rounds = 5;

constexpr Migration k_tables[] = {
    {1, "rows", "c",
     "CREATE TABLE ours (workspace_id {blob} NOT NULL, number {int64} NOT NULL, body {blob}, "
     "PRIMARY KEY (workspace_id, number)) STRICT;"
     "CREATE TABLE raw (workspace_id {blob} NOT NULL, number {int64} NOT NULL, body {blob}, "
     "PRIMARY KEY (workspace_id, number)) STRICT;"},
};

using Clock = std::chrono::steady_clock;

/// Rows a second of one round.
template <typename F>
double rate(F transaction) {
    const auto began = Clock::now();
    for (int i = 0; i < k_transactions; ++i)
        transaction();
    const std::chrono::duration<double> took = Clock::now() - began;
    return static_cast<double>(k_rows) * k_transactions / took.count();
}

class Ours {
public:
    explicit Ours(const Server& server) {
        Database::Options options;
        options.server = server;
        options.create = true;
        options.readers = 0;
        options.migrations = k_tables;
        auto opened = Database::open(options);
        POSTERN_CHECK(opened.has_value());
        database_ = std::move(*opened);
    }
    void transaction() {
        const auto written = database_->write_now([this](Transaction& tx) -> Result<> {
            for (std::int64_t i = 0; i < k_rows; ++i) {
                tx.execute_later(
                    "INSERT INTO ours (workspace_id, number, body) VALUES ($1, $2, $3)",
                    {k_installation, next_++, body_});
            }
            return {};
        });
        POSTERN_CHECK(written.has_value());
    }

private:
    std::unique_ptr<Database> database_;
    std::int64_t next_ = 0;
    SealedBytes body_{Bytes(300, 0x5a)};
};

class Raw {
public:
    explicit Raw(const Server& server) {
        const auto text = "host=" + server.addresses[0].host + " dbname=" + server.database +
                          " user=" + server.user;
        connection_ = ::PQconnectdb(text.c_str());
        POSTERN_CHECK(::PQstatus(connection_) == CONNECTION_OK);
        const Oid types[] = {17, 20, 17};
        ::PQclear(::PQprepare(connection_, "insert",
                              "INSERT INTO postern_store.raw (workspace_id, number, body) "
                              "VALUES ($1, $2, $3)",
                              3, types));
        POSTERN_CHECK(::PQenterPipelineMode(connection_) == 1);
    }
    ~Raw() { ::PQfinish(connection_); }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;

    void transaction() {
        const std::string workspace(16, '\0');
        const std::string body(300, 'Z');
        send("BEGIN");
        for (std::int64_t i = 0; i < k_rows; ++i, ++next_) {
            char number[8];
            for (int byte = 0; byte < 8; ++byte)
                number[byte] = static_cast<char>(next_ >> (56 - 8 * byte) & 0xff);
            const char* const values[] = {workspace.data(), number, body.data()};
            const int lengths[] = {16, 8, 300};
            const int formats[] = {1, 1, 1};
            POSTERN_CHECK(
                ::PQsendQueryPrepared(connection_, "insert", 3, values, lengths, formats, 1) == 1);
        }
        send("COMMIT");
        POSTERN_CHECK(::PQpipelineSync(connection_) == 1);
        while (true) {
            PGresult* const result = ::PQgetResult(connection_);
            if (result == nullptr) continue;
            const auto status = ::PQresultStatus(result);
            ::PQclear(result);
            if (status == PGRES_PIPELINE_SYNC) break;
            POSTERN_CHECK(status == PGRES_COMMAND_OK);
        }
    }

private:
    void send(const char* text) {
        POSTERN_CHECK(
            ::PQsendQueryParams(connection_, text, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1);
    }

    PGconn* connection_ = nullptr;
    std::int64_t next_ = 0;
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

int run(const Server& server) {
    Ours ours(server);
    Raw raw(server);
    std::vector<double> of_ours;
    std::vector<double> of_raw;
    ours.transaction();
    raw.transaction();
    for (int round = 0; round < k_rounds; ++round) {
        of_ours.push_back(rate([&] { ours.transaction(); }));
        of_raw.push_back(rate([&] { raw.transaction(); }));
    }
    std::printf("ours %.0f\nraw %.0f\n", median(of_ours), median(of_raw));
    return 0;
}

}  // namespace
}  // namespace postern::store

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    postern::store::Server server;
    server.addresses = {{argv[1], 5432}};
    server.database = argv[2];
    server.user = argv[3];
    return postern::store::run(server);
}
