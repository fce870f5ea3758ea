// Oracle: one_form.h, for what front has courier fetch; what is sealed of a token endpoint is read
// as it was written.
#include "platform/fetch/fetch_protocol.h"

#include "platform/ipc/one_form.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::fetch;
    return postern::ipc::require_one_form_of_any<FetchDocument, FetchDocument::Answer, ExchangeCode,
                                                 ExchangeCode::Answer, TokenEndpoint>(data, size);
}
