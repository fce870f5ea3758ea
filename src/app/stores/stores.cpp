#include "app/stores/stores.h"

#include "app/config/config.h"
#include "app/control/control_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/store/database.h"
#include "platform/store/migration.h"
#include "platform/store/move.h"
#include "platform/store/opening.h"
#include "platform/store/server.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::stores {
namespace {

const char* file_of(store::StoreKind kind) {
    switch (kind) {
        case store::StoreKind::store: return "store.db";
        case store::StoreKind::keyring: return "keyring.db";
        case store::StoreKind::index: return "index.db";
    }
    return "";
}

store::Server server_of(control::StoreAccess& access) {
    store::Server server;
    for (const auto& host : access.server.hosts)
        server.addresses.push_back({host.name, host.port});
    server.database = access.server.database;
    server.user = access.server.user;
    server.may_keep_destroyed = access.beside_bulk;
    if (!access.password.empty()) {
        server.password = std::make_shared<const Secret>(
            access.password.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); }));
    }
    // Whoever has the descriptor of a memory file may open it again.
    if (access.ca.valid()) server.ca_file = "/proc/self/fd/" + std::to_string(access.ca.get());
    return server;
}

Result<std::int64_t> move_one(control::MoveStep step,
                              const store::Database::Options& from,
                              const store::Database::Options& to) {
    Result<> done;
    switch (step) {
        case control::MoveStep::copy: return store::copy_store(from, to);
        case control::MoveStep::look: done = store::check_target(to); break;
        case control::MoveStep::abandon: done = store::abandon_copy(to); break;
        case control::MoveStep::finish: done = store::finish_move(from, to); break;
    }
    if (!done) return fail(std::move(done.error()));
    return 0;
}

}  // namespace

void load_library(const config::Config& config) {
    if (config.store.engine == config::StoreEngine::sqlite) return;
    const auto loaded = store::load_client_library();
    if (!loaded) log(LogLevel::error, "library_not_loaded", {{"error", loaded.error()}});
}

store::Database::Options options_of(control::StoreAccess& access, store::StoreKind kind) {
    store::Database::Options options;
    options.kind = kind;
    options.file = file_of(kind);
    if (access.engine == config::StoreEngine::postgresql) options.server = server_of(access);
    return options;
}

Result<bool> is_behind(control::StoreAccess& access, store::StoreKind kind) {
    return store::is_behind(options_of(access, kind));
}

control::MoveStore::Answer move(control::MoveStore asked,
                                const std::vector<store::StoreKind>& kinds) {
    control::MoveStore::Answer answer;
    for (const auto kind : kinds) {
        const auto rows =
            move_one(asked.step, options_of(asked.from, kind), options_of(asked.to, kind));
        if (!rows) {
            answer.refused = control::refusal_of(rows.error());
            break;
        }
        answer.rows += *rows;
    }
    return answer;
}

}  // namespace postern::app::stores
