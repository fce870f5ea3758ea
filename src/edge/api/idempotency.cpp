#include "edge/api/idempotency.h"

#include "edge/api/api_error.h"
#include "edge/api/call.h"
#include "edge/api/limits.h"
#include "edge/api/problem.h"
#include "edge/api/router.h"
#include "features/identity/actor.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/crypto/hash.h"
#include "platform/async/task.h"
#include "platform/ipc/call_surely.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace postern::api {
namespace {

/// Method, target and body, each behind its length. Hashed here, so that no body leaves front.
Bytes request_bytes(const Request& request) {
    WipedBytes joined;
    const auto add = [&](std::string_view part) {
        joined.append(std::to_string(part.size()));
        joined.append(":");
        joined.append(part);
    };
    add(request.method);
    add(request.target);
    add(as_text({request.body.data(), request.body.size()}));
    const auto hash = crypto::sha256({joined.data(), joined.size()});
    Bytes out = to_bytes("request:");
    out.insert(out.end(), hash.begin(), hash.end());
    return out;
}

bool is_success(const Result<Response>& answer) {
    return answer && answer->status >= 200 && answer->status < 300;
}

net::http::Headers copy_of(const net::http::Headers& headers) {
    net::http::Headers copy;
    for (std::size_t i = 0; i < headers.size(); ++i)
        copy.add(headers.name(i), headers.value(i));
    return copy;
}

/// For whoever looks at a call that another will carry out.
Call copy_of(const Call& call) {
    Call copy;
    copy.request.method = call.request.method;
    copy.request.target = call.request.target;
    copy.request.headers = copy_of(call.request.headers);
    copy.request.body.append({call.request.body.data(), call.request.body.size()});
    copy.request.secure = call.request.secure;
    copy.request.id = call.request.id;
    copy.parameters = call.parameters;
    copy.services = call.services;
    copy.record = call.record;
    return copy;
}

/// Whether it is certain that nothing was changed.
bool is_refusal(const Result<Response>& answer) {
    const int status = answer ? answer->status : status_of_code(answer.error().code());
    return status >= 400 && status < 500;
}

}  // namespace

bool is_idempotency_key(std::string_view key) {
    if (key.empty() || key.size() > k_idempotency_key_bytes_max) return false;
    return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
}

/// Notes that this process works on the key, until it goes out of scope.
class Idempotency::Running {
public:
    Running(std::set<RunningKey>& all, RunningKey key)
        : all_(all), key_(std::move(key)), is_mine_(all.insert(key_).second) {}
    ~Running() {
        if (is_mine_) all_.erase(key_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    [[nodiscard]] bool is_mine() const { return is_mine_; }

private:
    std::set<RunningKey>& all_;
    RunningKey key_;
    bool is_mine_;
};

async::Task<IdempotencyRow> Idempotency::make_row(Call call,
                                                  WorkspaceId workspace,
                                                  std::string key) {
    keys::ComputeMacs ask;
    ask.workspace = workspace;
    ask.purpose = keys::MacPurpose::request;
    ask.values.push_back(to_bytes("key:" + key));
    ask.values.push_back(request_bytes(call.request));
    auto macs = co_await ipc::call_surely(&call.use().keeper, std::move(ask),
                                          Deadline::in(std::chrono::seconds(20)));
    if (!macs) co_return fail(std::move(macs.error()));
    if (macs->macs.size() != 2) co_return fail(keys::KeyError::cannot_open);
    IdempotencyRow row;
    row.key_mac = std::move(macs->macs[0]);
    row.request_mac = std::move(macs->macs[1]);
    row.resource = call.record->reserved;
    row.expires_at_ms = call.use().clock.now_ms() + k_idempotency_s * 1000;
    co_return row;
}

Answer Idempotency::replay(Call call,
                           identity::Actor actor,
                           Endpoint endpoint,
                           IdempotencyRow row) {
    call.record->reserved = row.resource;
    auto again = co_await endpoint.replay(std::move(call), actor);
    if (!again) co_return fail(std::move(again.error()));
    auto response = std::move(*again);
    if (!response) co_return fail(ApiError::idempotency_result_gone);
    response->status = row.status;
    response->headers.emplace_back("Idempotency-Replayed", "true");
    co_return std::move(*response);
}

Answer Idempotency::run(Call call, identity::Actor actor, Endpoint endpoint) {
    const auto header = call.request.headers.find("Idempotency-Key");
    if (!header) co_return co_await endpoint.run(std::move(call), actor);
    if (!is_idempotency_key(*header)) co_return fail(ApiError::idempotency_key_invalid);
    const auto workspace = actor.workspace;

    std::string key(*header);
    auto row = co_await make_row(copy_of(call), workspace, std::move(key));
    if (!row) co_return fail(std::move(row.error()));

    const Running turn(running_, {workspace, row->key_mac});
    if (!turn.is_mine()) co_return fail(ApiError::idempotency_in_progress);
    const auto now = call.use().clock.now_ms();
    const auto body = [workspace, row = *row, now](store::Transaction& tx) {
        return rows::claim(tx, workspace, row, now);
    };
    auto claimed = co_await call.use().database.write(body);
    if (!claimed) {
        if (!endpoint.works_without_disk) co_return fail(std::move(claimed.error()));
        co_return co_await endpoint.run(std::move(call), actor);
    }
    if (claimed->request_mac != row->request_mac) co_return fail(ApiError::idempotency_key_reused);
    co_return co_await run_claimed(std::move(call), actor, std::move(endpoint),
                                   std::move(*claimed));
}

Answer Idempotency::run_claimed(Call call,
                                identity::Actor actor,
                                Endpoint endpoint,
                                IdempotencyRow row) {
    if (row.status != 0) {
        co_return co_await replay(std::move(call), actor, std::move(endpoint), std::move(row));
    }
    const auto workspace = actor.workspace;
    const auto services = call.services;
    const auto record = call.record;
    const bool is_of_before = row.resource != record->reserved;
    record->reserved = row.resource;
    std::optional<Response> made_before;
    if (is_of_before) {
        // Begun earlier, and nobody knows how it ended.
        auto found = co_await endpoint.replay(copy_of(call), actor);
        if (!found) co_return fail(std::move(found.error()));
        made_before = std::move(*found);
    }
    Result<Response> answer{};
    if (made_before) {
        answer = std::move(*made_before);
        answer->status = endpoint.success;
        answer->headers.emplace_back("Idempotency-Replayed", "true");
    } else {
        answer = co_await endpoint.run(std::move(call), actor);
    }
    if (is_success(answer)) {
        row.status = answer->status;
        row.resource = record->made.value_or(row.resource);
        const auto body = [workspace, row](store::Transaction& tx) {
            return rows::finish(tx, workspace, row);
        };
        auto stored = co_await services->database.write(body);
        if (!stored) log(LogLevel::warning, "idempotency_not_stored", {{"error", stored.error()}});
    } else if (is_refusal(answer)) {
        const auto body = [workspace, key = row.key_mac](store::Transaction& tx) {
            return rows::forget(tx, workspace, key);
        };
        auto forgotten = co_await services->database.write(body);
        if (!forgotten) {
            log(LogLevel::warning, "idempotency_not_stored", {{"error", forgotten.error()}});
        }
    }
    co_return answer;
}

}  // namespace postern::api
