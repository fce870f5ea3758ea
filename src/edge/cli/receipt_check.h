#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/result.h"

#include <string>
#include <vector>

namespace postern::cli {

enum class ReceiptError { not_a_receipt, not_signed, no_key, wrong_signature };

constexpr ErrorInfo describe(ReceiptError error) {
    switch (error) {
        case ReceiptError::not_a_receipt:
            return {"not_a_receipt", "The file does not hold a receipt."};
        case ReceiptError::not_signed:
            return {"receipt_not_signed", "The receipt carries no signature."};
        case ReceiptError::no_key:
            return {"receipt_without_key",
                    "The receipt does not name its key; say --data DIR of the installation."};
        case ReceiptError::wrong_signature:
            return {"wrong_signature",
                    "The signature does not belong to this receipt and this key."};
    }
    return {"not_a_receipt", "The file does not hold a receipt."};
}

inline constexpr std::size_t k_receipt_bytes_max = 256U << 10U;

/// A receipt taken apart: what was signed, in the form it was signed in however the file is laid
/// out, and by whom.
struct SignedReceipt {
    std::string id;
    std::string kind;
    std::string covered;  ///< keeper's statement, and the canonical JSON without the signature
    std::vector<std::string> uncovered;  ///< names of what stands behind the signature
    Bytes signature;
    Bytes key;  ///< the one it names itself; empty: none
};
/// Errors: not_a_receipt, not_signed.
[[nodiscard]] Result<SignedReceipt> read_receipt(ByteView json);
/// Errors: wrong_signature.
[[nodiscard]] Result<> verify_receipt(const SignedReceipt& receipt, ByteView public_key);

}  // namespace postern::cli
