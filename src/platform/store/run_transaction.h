#pragma once

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/transaction.h"

#include <functional>

namespace postern::store {

using TransactionBody = std::function<Result<>(Transaction&)>;

/// How often a transaction is run that another one was in the way of, or whose connection broke.
inline constexpr int k_transaction_tries = 4;

/// Begins, runs the body and commits, or rolls back and answers the first failure. What had no
/// effect for a transient reason is run again from its beginning, a few times. An exception of the
/// body is a bug and becomes StoreError::body_threw.
[[nodiscard]] Result<> run_transaction(Connection& connection,
                                       Access access,
                                       const TransactionBody& body);

/// For a transient reason: it may be run again.
[[nodiscard]] bool had_no_effect(const Result<>& outcome);
/// Longer each time; nothing before the first repetition.
void pause_before_repetition(int number);

/// The same as a part of the transaction that is running: taken back alone when it fails.
[[nodiscard]] Result<> run_part(Connection& connection, const TransactionBody& body);

}  // namespace postern::store
