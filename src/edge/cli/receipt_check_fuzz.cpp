// Oracle: what is read as a receipt, written again in its canonical form, is read as the same; and
// no input carries a signature of a key that the fuzzer does not have.
#include "edge/cli/receipt_check.h"

#include "foundation/base/bytes.h"
#include "foundation/codec/base64.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

constexpr std::size_t k_input_bytes_max = 64U << 10U;

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    if (size > k_input_bytes_max) return -1;
    const auto receipt = cli::read_receipt({data, size});
    if (!receipt) return 0;
    auto again = receipt->covered;
    require(again.size() > 2 && again.back() == '}');
    again.pop_back();
    again += ",\"signature\":\"" + codec::base64(receipt->signature) + "\"}";
    const auto twice = cli::read_receipt(as_bytes(again));
    require(twice.has_value());
    require(twice->covered == receipt->covered && twice->signature == receipt->signature);
    require(twice->id == receipt->id && twice->key == receipt->key);
    require(!cli::verify_receipt(*receipt, Bytes(32, 9)));
    return 0;
}
