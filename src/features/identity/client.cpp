#include "features/identity/client.h"

#include "features/identity/identity_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace postern::identity {
namespace {

constexpr auto k_column = store::data_map::store::sessions::client.value;

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

}  // namespace

std::string device_of(std::string_view user_agent) {
    std::string out(user_agent.substr(0, k_device_bytes_max));
    std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return out;
}

async::Task<Bytes> seal_client(ipc::Link* keeper, SessionId id, Client client) {
    auto text = to_bytes(client.address + "\n" + client.device);
    co_return co_await keys::seal_record(keeper, k_installation, k_column, crypto::row_key(id),
                                         std::move(text), keeper_deadline());
}

async::Task<Client> open_client(ipc::Link* keeper, const SessionRow* row) {
    auto sealed = row->client;
    auto opened =
        co_await keys::open_record(keeper, k_installation, k_column, crypto::row_key(row->id),
                                   std::move(sealed).take(), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    const auto text = as_text(*opened);
    const auto end = std::min(text.find('\n'), text.size());
    Client out;
    out.address = text.substr(0, end);
    out.device = text.substr(std::min(end + 1, text.size()));
    co_return out;
}

}  // namespace postern::identity
