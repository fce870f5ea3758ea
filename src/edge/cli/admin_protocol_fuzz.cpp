// Oracle: one_form.h, for what stands on DIR/run/admin.sock.
#include "edge/cli/admin_protocol.h"

#include "platform/ipc/one_form.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::cli;
    return postern::ipc::require_one_form_of_any<SetupLink, SetupLink::Answer, RecoverPerson,
                                                 CreateToken, CreateToken::Answer, Identify,
                                                 Identify::Answer, Doctor, Doctor::Answer>(data,
                                                                                           size);
}
