#include "app/front/front.h"
#include "edge/cli/admin_protocol.h"
#include "features/identity/identity_error.h"
#include "features/identity/policy.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/store/store_error.h"

#include <cstdint>
#include <string>
#include <utility>

namespace postern::app::front {

using namespace std::chrono_literals;

namespace {

/// What the command line can be told of an error.
Error admin_error(const Error& error) {
    const auto detail = std::string(error.code()) + " " + error.detail();
    if (error.is(identity::IdentityError::setup_done)) return {cli::AdminError::already_set_up};
    if (error.is(identity::IdentityError::invalid_workspace_name)) {
        return {cli::AdminError::invalid_name};
    }
    if (error.is(store::StoreError::disk_full)) return {cli::AdminError::disk_full};
    return {cli::AdminError::failed, detail};
}

}  // namespace

void Front::serve_admin() {
    admin_router_.on<cli::SetupLink>([this](cli::SetupLink) { return make_setup_link(); });
    admin_router_.on<cli::CreateToken>(
        [this](cli::CreateToken asked) { return create_token(std::move(asked)); });
    admin_router_.on<cli::Identify>([this](cli::Identify) { return identify(); });
    admin_router_.on<cli::Doctor>([this](cli::Doctor) { return examine(); });
}

async::Task<cli::SetupLink::Answer> Front::make_setup_link() {
    auto token = co_await identity_.create_setup_token();
    if (!token) co_return fail(admin_error(token.error()));
    const auto port = site_.ports.empty() ? std::uint16_t{0} : site_.ports.front();
    co_return cli::SetupLink::Answer{std::move(*token), port};
}

async::Task<cli::CreateToken::Answer> Front::create_token(cli::CreateToken asked) {
    const auto role = identity::parse_role(asked.role);
    if (!role) co_return fail(cli::AdminError::unknown_role);
    identity::Identity::TokenAsk ask{std::move(asked.workspace), *role, asked.demo};
    auto token = co_await identity_.create_token(std::move(ask));
    if (!token) co_return fail(admin_error(token.error()));
    co_return cli::CreateToken::Answer{std::move(token->text)};
}

async::Task<cli::Identify::Answer> Front::identify() {
    auto known = co_await keeper_.call(keys::Identify{}, Deadline::in(20s));
    if (!known) co_return fail(admin_error(known.error()));
    co_return cli::Identify::Answer{std::move(known->receipt_key)};
}

async::Task<cli::Doctor::Answer> Front::examine() {
    cli::Doctor::Answer answer;
    auto known = co_await keeper_.call(keys::Identify{}, Deadline::in(20s));
    if (!known) co_return fail(admin_error(known.error()));
    const bool locked = known->secrets_locked && Secret::all_locked();
    answer.checks.push_back(
        {"secrets in locked memory", locked ? cli::Verdict::good : cli::Verdict::warning,
         locked ? "no secret can reach the swap"
                : "raise the limit of locked memory (ulimit -l, LimitMEMLOCK=)"});
    // Before the first serve nobody has made it yet.
    const bool held = stores_.reserve.restore().has_value();
    answer.checks.push_back({"room kept for a full disk",
                             held ? cli::Verdict::good : cli::Verdict::warning,
                             held ? "lock and cut-off work on a full disk"
                                  : "the reserve could not be made: is the disk full?"});
    co_return answer;
}

}  // namespace postern::app::front
