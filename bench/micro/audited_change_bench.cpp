// Changes a second into SQLite, from 64 that wait at once and share commits: each with its record
// in the audit, by somebody whose address is sealed, beside the same change without one. Keeper
// works in a thread of its own, asked over a socket pair. Prints one `name value` line each; works
// in the working directory.
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "local_keeper.h"
#include "platform/async/deadline.h"
#include "platform/async/task_group.h"
#include "platform/audit/audit_log.h"
#include "platform/audit/record.h"
#include "platform/ipc/link.h"
#include "platform/ipc/rpc.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/os/process.h"
#include "platform/store/data_map.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"
#include "platform/store/value.h"

#include <boost/asio/io_context.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern {
namespace {

constexpr int k_waiting = 64;
constexpr int k_changes = 100;  // of each of them
constexpr int k_rounds = 5;

constexpr auto k_column = store::data_map::store::integrations::settings.value;

/// What a rename of an integration does: its settings are opened and sealed by keeper, and one row,
/// found by its key, gets some hundred bytes.
class Bench {
public:
    Bench(ipc::Link& keeper, boost::asio::io_context& io, async::TaskGroup& tasks)
        : io_(io), tasks_(tasks), keeper_(&keeper) {
        store::Database::Options options;
        options.create = true;
        options.clock = &clock_;
        auto opened = store::Database::open(options);
        POSTERN_CHECK(opened.has_value());
        database_ = std::move(*opened);
        log_ =
            std::make_unique<audit::AuditLog>(audit::AuditLog::Parts{*database_, keeper, clock_});
        for (int i = 0; i < k_waiting; ++i)
            ids_.push_back(IntegrationId::make(i + 1));
        for (const auto& id : ids_) {
            const auto done = database_->write_now([&](store::Transaction& tx) {
                return store::done(tx.execute(
                    "INSERT INTO integrations (workspace_id, integration_id, kind, level, state, "
                    "epoch, settings, search_label, created_at_ms) VALUES ($1, $2, 'imap', "
                    "'replies', 'active', 1, $3, $4, 0)",
                    {workspace_, id, settings_, store::Clear::text(id.text())}));
            });
            POSTERN_CHECK(done.has_value());
        }
    }

    double rate(bool audited) {
        const auto began = std::chrono::steady_clock::now();
        int running = k_waiting;
        for (const auto& id : ids_)
            tasks_.spawn("change", change(this, id, audited, &running));
        io_.restart();
        while (running > 0)
            io_.run_one();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        return double(k_waiting) * k_changes / took.count();
    }

private:
    static async::Job change(Bench* bench, IntegrationId id, bool audited, int* running) {
        for (int i = 0; i < k_changes; ++i) {
            const auto body = [workspace = bench->workspace_, id,
                               settings = bench->settings_](store::Transaction& tx) -> Result<> {
                return store::done(
                    tx.execute("UPDATE integrations SET settings = $3 WHERE workspace_id = $1 AND "
                               "integration_id = $2",
                               {workspace, id, settings}));
            };
            Result<> done;
            // As a rename does: what is stored is opened and sealed anew.
            const auto workspace = bench->workspace_;
            const auto deadline = Deadline::in(std::chrono::seconds(20));
            const auto row = to_bytes(crypto::row_key(id));
            const Bytes content(300, 7);
            auto settings = co_await keys::seal_record(bench->keeper_, workspace, k_column, row,
                                                       content, deadline);
            POSTERN_CHECK(settings.has_value());
            auto opened = co_await keys::open_record(bench->keeper_, workspace, k_column, row,
                                                     *settings, deadline);
            POSTERN_CHECK(opened.has_value());
            if (audited) {
                audit::Act act{{audit::By::Kind::person, "per_01h00000000000000000000000",
                                "192.0.2." + std::to_string(i % 7)},
                               "integration.renamed",
                               {{"integration_id", id.text()}}};
                done = co_await bench->log_->record(bench->workspace_, std::move(act), body);
            } else {
                done = co_await bench->database_->write(body);
            }
            POSTERN_CHECK(done.has_value());
        }
        --*running;
    }

    boost::asio::io_context& io_;
    async::TaskGroup& tasks_;
    ipc::Link* keeper_;
    SystemClock clock_;
    std::unique_ptr<store::Database> database_;
    std::unique_ptr<audit::AuditLog> log_;
    WorkspaceId workspace_ = WorkspaceId::make(1);
    std::vector<IntegrationId> ids_;
    store::SealedBytes settings_{Bytes(300, 7)};
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void run() {
    auto pair = os::socket_pair();
    POSTERN_CHECK(pair.has_value());
    std::jthread keeper([socket = std::move(pair->second)]() mutable {
        vault::LocalKeeper local;
        local.serve(std::move(socket));
    });
    boost::asio::io_context io;
    async::TaskGroup tasks(io.get_executor());
    ipc::Router nothing;
    ipc::Link link(tasks, nothing);
    link.attach(std::move(pair->first));
    std::vector<double> plain;
    std::vector<double> audited;
    {
        Bench bench(link, io, tasks);
        (void)bench.rate(true);
        for (int round = 0; round < k_rounds; ++round) {
            plain.push_back(bench.rate(false));
            audited.push_back(bench.rate(true));
        }
    }
    link.close();
    std::printf("plain %.0f\naudited %.0f\n", median(plain), median(audited));
    std::fflush(stdout);
}

}  // namespace
}  // namespace postern

int main() {
    postern::run();
}
