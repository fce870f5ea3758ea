#pragma once

#include "foundation/base/result.h"
#include "platform/store/connection.h"
#include "platform/store/transaction.h"

#include <functional>

namespace postern::store {

using TransactionBody = std::function<Result<>(Transaction&)>;

/// Begins, runs the body and commits, or rolls back and answers the first failure. An exception
/// of the body is a bug and becomes StoreError::body_threw.
[[nodiscard]] Result<> run_transaction(Connection& connection,
                                       Access access,
                                       const TransactionBody& body);

/// The same as a part of the transaction that is running: taken back alone when it fails.
[[nodiscard]] Result<> run_part(Connection& connection, const TransactionBody& body);

}  // namespace postern::store
