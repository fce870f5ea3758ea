// Oracle: one_form.h, for what the supervisor and its children say to one another.
#include "app/control/control_protocol.h"

#include "platform/ipc/one_form.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern::app::control;
    return postern::ipc::require_one_form_of_any<
        Refusal, Ready, Start, Start::Answer, Attach, Stop, StartReader, StartReader::Answer,
        EndReader, EndCourier, MakeRootKey, MakeRootKey::Answer, RestoreRootKey,
        RestoreRootKey::Answer, Ping, Look, Look::Answer, ListProcesses, ListProcesses::Answer>(
        data, size);
}
