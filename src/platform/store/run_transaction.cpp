#include "platform/store/run_transaction.h"

#include "foundation/base/check.h"
#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/row.h"
#include "platform/store/store_error.h"
#include "platform/store/transaction.h"

#include <exception>
#include <memory>

namespace postern::store {

namespace {

/// The body's answer, or what happened behind its back. The text of an exception that is not ours
/// may hold input and is dropped.
Result<> answer_of(Connection& connection, const TransactionBody& body) {
    const auto verdict = std::make_shared<Verdict>();
    Transaction transaction(connection, verdict);
    try {
        auto answer = body(transaction);
        const auto failure = verdict->failure;
        if (failure && (answer || !verdict->body_was_told)) return fail(*failure);
        return answer;
    } catch (const InternalBug& bug) {
        return fail(StoreError::body_threw, bug.what());
    } catch (const std::exception&) {
        return fail(StoreError::body_threw);
    }
}

}  // namespace

Result<> run_transaction(Connection& connection, Access access, const TransactionBody& body) {
    if (auto begun = connection.begin(access); !begun) return begun;
    auto answer = answer_of(connection, body);
    if (answer) return connection.commit();
    connection.rollback();
    return answer;
}

Result<> run_part(Connection& connection, const TransactionBody& body) {
    if (auto begun = connection.begin_part(); !begun) return begun;
    auto answer = answer_of(connection, body);
    if (answer) return connection.keep_part();
    if (!connection.in_transaction()) return answer;
    if (auto undone = connection.undo_part(); !undone) connection.rollback();
    return answer;
}

}  // namespace postern::store
