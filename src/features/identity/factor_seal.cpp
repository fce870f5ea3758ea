#include "features/identity/factor_seal.h"

#include "features/identity/factor_store.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"

#include <chrono>
#include <string>
#include <utility>

namespace postern::identity {

namespace columns = store::data_map::store::factors;

namespace {

Deadline keeper_deadline() {
    return Deadline::in(std::chrono::seconds(20));
}

}  // namespace

async::Task<FactorRow> seal_factor(ipc::Link* keeper,
                                   FactorRow row,
                                   std::string name,
                                   Secret secret) {
    keys::SealRecords ask;
    ask.workspace = k_installation;
    ask.records.push_back({columns::name.value, crypto::row_key(row.id), to_bytes(name)});
    auto plain =
        secret.with_bytes([](ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); });
    ask.records.push_back({columns::secret.value, crypto::row_key(row.id), std::move(plain)});
    auto sealed = co_await keeper->call(std::move(ask), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    if (sealed->contents.size() != 2) co_return fail(keys::KeyError::storage_failed);
    row.name = store::SealedBytes(std::move(sealed->contents[0]));
    row.secret = store::SealedBytes(std::move(sealed->contents[1]));
    co_return row;
}

async::Task<std::string> open_factor_name(ipc::Link* keeper, FactorRow row) {
    auto opened = co_await keys::open_record(keeper, k_installation, columns::name.value,
                                             crypto::row_key(row.id), std::move(row.name).take(),
                                             keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    co_return std::string(as_text(*opened));
}

async::Task<Secret> open_factor_secret(ipc::Link* keeper, FactorRow row) {
    auto opened = co_await keys::open_record(keeper, k_installation, columns::secret.value,
                                             crypto::row_key(row.id), std::move(row.secret).take(),
                                             keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    auto secret = Secret::copy_of(*opened);
    wipe(opened->data(), opened->size());
    co_return secret;
}

}  // namespace postern::identity
