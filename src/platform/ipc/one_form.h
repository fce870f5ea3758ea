#pragma once

#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "platform/ipc/wire.h"

#include <algorithm>
#include <cstdint>

namespace postern::ipc {

/// The oracle of every protocol between our processes: bytes that are read as a message are the
/// bytes that this message is written as.
template <typename Message>
void require_one_form(ByteView bytes) {
    Decoder decoder(bytes, {});
    Message message{};
    if (!decoder.get(message) || !decoder.finished()) return;
    Encoder encoder;
    encoder.put(message);
    POSTERN_CHECK(std::ranges::equal(encoder.bytes(), bytes));
}

/// Reads the input as the message that its first byte chooses.
template <typename... Messages>
int require_one_form_of_any(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::size_t choice = input.byte() % sizeof...(Messages);
    std::size_t number = 0;
    ((number++ == choice ? require_one_form<Messages>(input.bytes()) : void()), ...);
    return 0;
}

}  // namespace postern::ipc
