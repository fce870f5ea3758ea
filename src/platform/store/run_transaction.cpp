#include "platform/store/run_transaction.h"

#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/pause.h"
#include "platform/store/row.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <exception>
#include <memory>

namespace postern::store {

namespace {

constexpr std::chrono::milliseconds k_first_pause{2};

/// The body's answer, or what happened behind its back. The text of an exception that is not ours
/// may hold input and is dropped.
Result<> answer_of(Connection& connection, const TransactionBody& body) {
    const auto verdict = std::make_shared<Verdict>();
    Transaction transaction(connection, verdict);
    try {
        auto answer = body(transaction);
        const auto failure = verdict->failure;
        // Whatever the body made of it: the transaction is run again.
        if (failure && had_no_effect(fail(*failure))) return fail(*failure);
        if (failure && (answer || !verdict->body_was_told)) return fail(*failure);
        return answer;
    } catch (const InternalBug& bug) {
        return fail(StoreError::body_threw, bug.what());
    } catch (const std::exception&) {
        return fail(StoreError::body_threw);
    }
}

Result<> run_once(Connection& connection, Access access, const TransactionBody& body) {
    if (auto begun = connection.begin(access); !begun) return begun;
    auto answer = answer_of(connection, body);
    if (answer) return connection.commit();
    connection.rollback();
    return answer;
}

}  // namespace

bool had_no_effect(const Result<>& outcome) {
    if (outcome) return false;
    const auto error = outcome.error().as<StoreError>();
    return error && is_transient(*error);
}

void pause_before_repetition(int number) {
    if (number > 1) pause(k_first_pause * (1 << number));
}

Result<> run_transaction(Connection& connection, Access access, const TransactionBody& body) {
    auto outcome = run_once(connection, access, body);
    for (int repetition = 1; had_no_effect(outcome) && repetition < k_transaction_tries;
         ++repetition) {
        pause_before_repetition(repetition);
        outcome = run_once(connection, access, body);
    }
    return outcome;
}

Result<> run_part(Connection& connection, const TransactionBody& body) {
    if (auto begun = connection.begin_part(); !begun) return begun;
    auto answer = answer_of(connection, body);
    if (answer) answer = connection.keep_part();
    if (answer || !connection.in_transaction()) return answer;
    if (auto undone = connection.undo_part(); !undone) {
        connection.rollback();
        if (had_no_effect(undone)) return undone;
    }
    return answer;
}

}  // namespace postern::store
