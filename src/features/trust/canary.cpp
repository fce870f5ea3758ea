#include "features/trust/canary.h"

#include "features/trust/file_search.h"
#include "features/trust/finding.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/base/secret.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/wire.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using keys::KeyError;

constexpr std::int64_t k_lease_s = 60;
constexpr std::size_t k_credential_bytes = 32;

bool is_refusal(const Error& error) {
    return error.is(KeyError::wrong_secret) || error.is(KeyError::integration_sealed) ||
           error.is(KeyError::integration_cut_off) || error.is(KeyError::unknown_integration) ||
           error.is(KeyError::stale_epoch);
}

Secret copy_of(const Secret& secret) {
    return secret.with_bytes([](ByteView bytes) { return Secret::copy_of(bytes); });
}

/// What would stand somewhere if these bytes did. In base64 it depends on where they begin: of each
/// of the three places, that which none of their neighbours changes.
std::vector<std::string> clear_forms(ByteView bytes) {
    const auto hex = codec::hex(bytes);
    auto capitals = hex;
    std::ranges::transform(hex, capitals.begin(), [](char c) {
        return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    std::vector<std::string> forms{std::string(as_text(bytes)), hex, std::move(capitals)};
    for (std::size_t from = 0; from < 3; ++from) {
        const auto whole = bytes.subspan(from, (bytes.size() - from) / 3 * 3);
        forms.push_back(codec::base64(whole));
        forms.push_back(codec::base64url(whole));
    }
    return forms;
}

/// In all that a seal has, as it is stored.
bool holds(keys::Seal seal, const FileSearch& search) {
    ipc::Encoder encoder;
    encoder.put(seal);
    const auto& bytes = encoder.bytes();
    return search.hits({bytes.begin(), bytes.end()}) > 0;
}

}  // namespace

bool Canary::stands_in_clear() const {
    return credential_.with_bytes(
        [this](ByteView bytes) { return holds(seal_, FileSearch(clear_forms(bytes))); });
}

bool Canary::would_be_found_in_clear() const {
    return credential_.with_bytes([this](ByteView bytes) {
        const auto forms = clear_forms(bytes);
        const FileSearch search(forms);
        return std::ranges::all_of(forms, [&](const std::string& form) {
            auto seal = seal_;
            const auto clear = as_bytes(form);
            seal.credential.insert(seal.credential.end(), clear.begin(), clear.end());
            return holds(std::move(seal), search);
        });
    });
}

async::Task<> Canary::seal() {
    keys::PrepareSeal ask;
    ask.workspace = k_installation;
    ask.integration = k_id;
    ask.generate = true;
    credential_ = crypto::random_secret(k_credential_bytes);
    ask.credential.clear = copy_of(credential_);
    ask.destination = to_bytes("nowhere");
    auto prepared = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!prepared) co_return fail(std::move(prepared.error()));
    seal_ = std::move(prepared->seal);
    secret_ = std::move(prepared->generated);
    co_return co_await commit();
}

async::Task<> Canary::commit() {
    keys::CommitSeal ask{k_installation, k_id, seal_.epoch, 0};
    auto committed = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!committed) co_return fail(std::move(committed.error()));
    co_return Result<>{};
}

async::Task<> Canary::add_holder() {
    keys::AddHolder ask;
    ask.workspace = k_installation;
    ask.integration = k_id;
    ask.seal = seal_;
    ask.secret.clear = copy_of(secret_);
    ask.generate = true;
    auto added = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!added) co_return fail(std::move(added.error()));
    seal_.holders.push_back(std::move(added->holder));
    seal_before_ = seal_;
    second_secret_ = std::move(added->generated);
    co_return Result<>{};
}

async::Task<> Canary::first_leaves() {
    if (seal_.holders.empty()) co_return fail(KeyError::unknown_holder);
    keys::PrepareSeal ask;
    ask.workspace = k_installation;
    ask.integration = k_id;
    ask.current = seal_;
    ask.secret.clear = copy_of(secret_);
    ask.leaving = seal_.holders.front().holder;
    auto prepared = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!prepared) co_return fail(std::move(prepared.error()));
    seal_ = std::move(prepared->seal);
    co_return co_await commit();
}

Secret Canary::secret_for(Key key) const {
    switch (key) {
        case Key::right: return copy_of(secret_);
        case Key::second: return copy_of(second_secret_);
        case Key::none:
        case Key::wrong: break;
    }
    return crypto::random_secret(16);
}

async::Task<bool> Canary::opens(Key key) {
    if (key == Key::none) co_return co_await used();
    auto secret = secret_for(key);
    auto seal = seal_;
    co_return co_await unlocks(std::move(secret), std::move(seal));
}

async::Task<bool> Canary::opens_as_before() {
    auto secret = copy_of(secret_);
    auto seal = seal_before_;
    co_return co_await unlocks(std::move(secret), std::move(seal));
}

async::Task<bool> Canary::unlocks(Secret secret, keys::Seal seal) {
    keys::Unlock ask;
    ask.workspace = k_installation;
    ask.integration = k_id;
    ask.seal = std::move(seal);
    ask.secret.clear = std::move(secret);
    ask.lease_s = k_lease_s;
    auto opened = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!opened && is_refusal(opened.error())) co_return false;
    if (!opened) co_return fail(std::move(opened.error()));
    // While leased a use is granted: that it is refused otherwise says something.
    auto granted = co_await used();
    keys::Lock lock{k_installation, k_id};
    auto locked = co_await keeper_.call(std::move(lock), keeper_deadline());
    if (!locked) co_return fail(std::move(locked.error()));
    if (!granted) co_return granted;
    co_return opened->open && *granted;
}

async::Task<bool> Canary::used() {
    keys::MintTicket ask;
    ask.workspace = k_installation;
    ask.integration = k_id;
    ask.seal = seal_;
    auto ticket = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!ticket && is_refusal(ticket.error())) co_return false;
    if (!ticket) co_return fail(std::move(ticket.error()));
    co_return true;
}

async::Task<> Canary::cut_off() {
    keys::CutOff ask{k_installation, k_id};
    auto ended = co_await keeper_.call(std::move(ask), keeper_deadline());
    if (!ended) co_return fail(std::move(ended.error()));
    co_return Result<>{};
}

}  // namespace postern::trust
