// What it costs a request to be asked who it is of and whether it may: the gate, over a SQLite
// store and its readers as front has them, in turns with the same call without. Prints one `name
// value` line each, in microseconds; works in the working directory.
#include "features/identity/actor.h"
#include "features/identity/bearer.h"
#include "features/identity/factor_store.h"
#include "features/identity/identity.h"
#include "features/identity/identity_store.h"
#include "features/identity/policy.h"
#include "features/identity/scopes.h"
#include "foundation/base/bytes.h"
#include "foundation/base/check.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/blocking_pool.h"
#include "platform/async/task.h"
#include "platform/async/task_group.h"
#include "platform/audit/audit_log.h"
#include "platform/ipc/link.h"
#include "platform/ipc/rpc.h"
#include "platform/own_mail/own_mail.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"

#include <boost/asio/io_context.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

using std::chrono::steady_clock;

constexpr int k_calls = 2000;
constexpr int k_rounds = 15;

struct Texts {
    std::string session;
    std::string token;
};

std::string text_of(const Bearer& bearer) {
    return bearer.text.with_bytes([](ByteView bytes) { return std::string(as_text(bytes)); });
}

Result<> insert(store::Transaction& tx, const SessionRow& session, const TokenRow& token) {
    WorkspaceRow workspace;
    workspace.id = token.workspace;
    workspace.name = store::SealedBytes(to_bytes("x"));
    auto done = rows::insert_workspace(tx, workspace);
    PersonRow person{session.person, to_bytes("x"), workspace.name, workspace.name, 0};
    if (done) done = rows::insert_person(tx, person);
    if (done) done = rows::insert_membership(tx, {workspace.id, person.id, Role::owner, 0});
    FactorRow factor;
    factor.id = FactorId::make(1);
    factor.person = person.id;
    factor.name = factor.secret = workspace.name;
    if (done) done = rows::insert_factor(tx, factor);
    if (done) done = rows::insert_session(tx, session);
    if (done) done = rows::insert_token(tx, token);
    return done;
}

Texts fill(store::Database& database, UnixMs now_ms) {
    const auto session_text = make_bearer(k_session_prefix);
    const auto token_text = make_bearer(k_api_token_prefix);
    SessionRow session;
    session.token_hash = session_text.hash;
    session.person = PersonId::make(now_ms);
    session.id = SessionId::make(now_ms);
    session.created_at_ms = session.password_at_ms = session.factor_at_ms = now_ms;
    session.seen_at_ms = now_ms;
    session.expires_at_ms = now_ms + k_session_s * 1000;
    session.client = store::SealedBytes(to_bytes("x"));
    TokenRow token;
    token.token_hash = token_text.hash;
    token.id = TokenId::make(now_ms);
    token.workspace = WorkspaceId::make(now_ms);
    token.role = Role::owner;
    token.used_at_ms = now_ms;
    const auto stored =
        database.write_now([&](store::Transaction& tx) { return insert(tx, session, token); });
    POSTERN_CHECK(stored.has_value());
    return {text_of(session_text), text_of(token_text)};
}

/// The same answer from nowhere.
async::Task<Actor> no_gate() {
    co_return Actor{};
}

async::Task<Actor> nothing_read(store::Database* database) {
    const auto body = [](store::Transaction&) { return Result<Actor>(Actor{}); };
    co_return co_await database->read(body);
}

class Bench {
public:
    Bench() {
        store::Database::Options options;
        options.file = "gate.db";
        options.create = true;
        auto opened = store::Database::open(options);
        POSTERN_CHECK(opened.has_value());
        database_ = std::move(*opened);
        audit_ =
            std::make_unique<audit::AuditLog>(audit::AuditLog::Parts{*database_, keeper_, clock_});
        mail_ = std::make_unique<own_mail::OwnMail>(
            own_mail::OwnMail::Parts{*database_, keeper_, clock_}, io_.get_executor());
        identity_ = std::make_unique<Identity>(
            Identity::Parts{*database_, keeper_, clock_, *audit_, *mail_, passwords_});
        texts_ = fill(*database_, clock_.now_ms());
    }

    void run() {
        std::vector<double> session;
        std::vector<double> token;
        std::vector<double> read;
        for (int i = 0; i < k_rounds; ++i) {
            const auto bare = micros([] { return no_gate(); });
            session.push_back(micros([this] {
                                  return identity_->authenticate_session(texts_.session,
                                                                         std::nullopt);
                              }) -
                              bare);
            token.push_back(micros([this] { return identity_->authenticate_token(texts_.token); }) -
                            bare);
            read.push_back(micros([this] { return nothing_read(database_.get()); }) - bare);
        }
        print("gate_session", session);
        print("gate_token", token);
        print("empty_read", read);
    }

private:
    /// Of one call and the question after it.
    template <typename Ask>
    double micros(Ask ask) {
        double took = 0;
        bool is_over = false;
        const auto all = [](Ask each, double* into, bool* over) -> async::Job {
            const auto begun = steady_clock::now();
            for (int i = 0; i < k_calls; ++i) {
                auto asking = each();
                auto actor = co_await std::move(asking);
                POSTERN_CHECK(actor.has_value());
                auto allowed = Authorized<Permission::see_self>::check(*actor);
                POSTERN_CHECK(allowed.has_value());
            }
            const std::chrono::duration<double, std::micro> all_of_them =
                steady_clock::now() - begun;
            *into = all_of_them.count() / k_calls;
            *over = true;
        };
        group_.spawn("round", all(ask, &took, &is_over));
        io_.restart();
        while (!is_over)
            io_.run_one();
        return took;
    }
    static void print(const char* name, std::vector<double> values) {
        std::ranges::sort(values);
        std::printf("%s %.2f\n%s_least %.2f\n%s_most %.2f\n", name, values[values.size() / 2], name,
                    values.front(), name, values.back());
    }

    boost::asio::io_context io_;
    async::TaskGroup group_{io_.get_executor()};
    ipc::Router router_;
    ipc::Link keeper_{group_, router_};
    SystemClock clock_;
    async::BlockingPool passwords_{{.threads = 1, .queue_max = 1}};
    std::unique_ptr<store::Database> database_;
    std::unique_ptr<audit::AuditLog> audit_;
    std::unique_ptr<own_mail::OwnMail> mail_;
    std::unique_ptr<Identity> identity_;
    Texts texts_;
};

}  // namespace
}  // namespace postern::identity

int main() {
    postern::identity::Bench().run();
}
