#include "platform/ipc/wire.h"

#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "platform/os/fd.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace postern::ipc {

void Encoder::put_integer(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
        out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

void Encoder::put_counted(ByteView bytes) {
    put_integer(bytes.size(), 4);
    out_.append(bytes);
}

void Encoder::put_value(os::Fd& value) {
    put_integer(value.valid() ? 1 : 0, 1);
    if (value.valid()) files_.push_back(std::move(value));
}

bool Decoder::get_integer(std::uint64_t& value, std::size_t bytes) {
    if (!good_ || in_.size() < bytes) return good_ = false;
    value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        value |= std::uint64_t{in_[i]} << (8 * i);
    in_ = in_.subspan(bytes);
    return true;
}

bool Decoder::get_counted(ByteView& bytes) {
    std::uint64_t size = 0;
    if (!get_integer(size, 4) || size > in_.size()) return good_ = false;
    bytes = in_.first(size);
    in_ = in_.subspan(size);
    return true;
}

bool Decoder::get_value(Bytes& value) {
    ByteView bytes;
    if (!get_counted(bytes)) return false;
    value = to_bytes(bytes);
    return true;
}

bool Decoder::get_value(std::string& value) {
    ByteView bytes;
    if (!get_counted(bytes)) return false;
    value = as_text(bytes);
    return true;
}

bool Decoder::get_value(Secret& value) {
    ByteView bytes;
    if (!get_counted(bytes)) return false;
    value = Secret::copy_of(bytes);
    return true;
}

bool Decoder::get_value(os::Fd& value) {
    std::uint64_t present = 0;
    if (!get_integer(present, 1) || present > 1) return good_ = false;
    if (present == 0) return true;
    if (next_file_ == files_.size()) return good_ = false;
    value = std::move(files_[next_file_++]);
    return true;
}

}  // namespace postern::ipc
