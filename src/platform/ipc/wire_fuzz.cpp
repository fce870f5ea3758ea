// Oracle: one_form.h; a failed decoder gives nothing more.
#include "platform/ipc/wire.h"

#include "foundation/base/id.h"
#include "foundation/base/secret.h"
#include "platform/ipc/one_form.h"
#include "platform/ipc/rpc.h"

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace postern {
namespace {

enum class Colour : std::uint8_t { red, green };
struct Inner {
    std::optional<std::string> text;
    Colour colour = Colour::red;
    auto wire() { return std::tie(text, colour); }
};
struct Everything {
    bool flag = false;
    std::int64_t number = 0;
    std::uint16_t port = 0;
    ThreadId id;
    Bytes bytes;
    Secret secret;
    std::vector<Inner> inner;
    std::optional<std::vector<std::optional<std::uint32_t>>> nested;
    auto wire() { return std::tie(flag, number, port, id, bytes, secret, inner, nested); }
};

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    ipc::Decoder decoder({data, size}, {});
    Everything everything;
    std::uint8_t byte = 0;
    if (!decoder.get(everything)) POSTERN_CHECK(!decoder.finished());
    if (decoder.finished()) POSTERN_CHECK(!decoder.get(byte));
    return ipc::require_one_form_of_any<Everything, Inner, ipc::detail::WireFailure, ipc::Nothing>(
        data, size);
}
