#include "features/trust/canary.h"
#include "features/trust/claim.h"
#include "features/trust/claims.h"
#include "features/trust/finding.h"
#include "features/trust/planted.h"
#include "features/trust/ports.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/key_error.h"
#include "platform/keys/seals.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::trust {
namespace {

using store::Transaction;

constexpr std::int64_t k_ended_max = 10'000;
constexpr std::size_t k_status_batch = 500;
/// OWASP's least for Argon2id, which is also the least that the configuration takes.
constexpr std::uint32_t k_argon2_memory_kib_least = 19 * 1024;
constexpr std::int64_t k_threads_read_max = 20;
/// A server share, a holder share and a grant key.
constexpr std::uint64_t k_kinds_of_keys = 3;

/// "1 thread", "2 threads".
std::string count_of(std::size_t number, std::string_view noun) {
    std::string text = std::to_string(number);
    text.append(" ").append(noun);
    if (number != 1) text.append("s");
    return text;
}

/// The claims about access, and what they share. Lifetime: held by their closures.
class Access {
public:
    explicit Access(Grounds grounds) : grounds_(std::move(grounds)), canary_(grounds_.keeper) {}

    /// `outsider`: what somebody has who was given nothing.
    async::Task<Finding> sealed(Canary::Key outsider);
    async::Task<Finding> stays_cut_off(bool cut_off);
    async::Task<Finding> deleted();
    async::Task<Finding> planted_access(std::string_view state);
    async::Task<Finding> planted_keys(std::string_view state);
    /// Of the seal that sealed() made.
    [[nodiscard]] bool would_find_in_clear() const { return canary_.would_be_found_in_clear(); }

private:
    async::Task<Finding> try_canary(Canary::Key outsider);
    async::Task<Finding> judge_seals(std::vector<SealedIntegration> integrations);
    async::Task<bool> opens_without_anything(const SealedIntegration* integration);
    async::Task<std::vector<keys::IntegrationStatus>> statuses(std::vector<rows::Ended> ended);
    async::Task<Finding> judge_ended(std::string_view state);

    Grounds grounds_;
    Canary canary_;
};

/// A canary cut off at the end: no check leaves anything open, whatever it found.
async::Task<Finding> Access::try_canary(Canary::Key outsider) {
    auto sealed = co_await canary_.seal();
    if (!sealed) co_return fail(std::move(sealed.error()));
    Finding finding;
    add(finding, !canary_.stands_in_clear(),
        "a fresh credential: not in its seal in clear, in hexadecimal or in base64",
        "a credential stands in its seal in clear");
    const auto used = co_await canary_.opens(Canary::Key::none);
    if (!used) co_return fail(used.error());
    add(finding, !*used, "a fresh credential: refused without its secret",
        "a sealed credential opens without a secret");
    const auto guessed = co_await canary_.opens(outsider);
    if (!guessed) co_return fail(guessed.error());
    add(finding, !*guessed, "refused with another secret",
        "a sealed credential opens with another secret");
    const auto owner = co_await canary_.opens(Canary::Key::right);
    if (!owner) co_return fail(owner.error());
    add(finding, *owner, "opened with its own", "a sealed credential does not open with its own");
    auto ended = co_await canary_.cut_off();
    if (!ended) co_return fail(std::move(ended.error()));
    co_return finding;
}

/// Keeper is asked to use it as the mail sender would, without a lease and without its grants.
async::Task<bool> Access::opens_without_anything(const SealedIntegration* integration) {
    keys::MintTicket ask;
    ask.workspace = integration->workspace;
    ask.integration = integration->id;
    const auto seal = integration->seal;
    if (!seal) co_return fail(TrustError::out_of_sight);
    ask.seal = *seal;
    auto ticket = co_await grounds_.keeper.call(std::move(ask), keeper_deadline());
    if (ticket) co_return true;
    const auto& error = ticket.error();
    // What changed while we looked is not what was asked about.
    const bool refused = error.is(keys::KeyError::integration_sealed) ||
                         error.is(keys::KeyError::integration_cut_off) ||
                         error.is(keys::KeyError::stale_epoch);
    if (refused) co_return false;
    co_return fail(error);
}

bool is_well_sealed(const SealedIntegration& integration) {
    if (!integration.seal || integration.seal->epoch != integration.epoch) return false;
    const auto& seal = *integration.seal;
    if (seal.holders.empty() || seal.credential.empty() || seal.credential_key.empty()) {
        return false;
    }
    for (const auto& holder : seal.holders) {
        if (holder.memory_kib < k_argon2_memory_kib_least || holder.passes < 1) return false;
        if (holder.sealed_private.empty() || holder.boxed_key.empty()) return false;
    }
    return true;
}

async::Task<Finding> Access::judge_seals(std::vector<SealedIntegration> integrations) {
    std::size_t leased = 0;
    std::size_t refused = 0;
    Finding finding;
    for (const auto& integration : integrations) {
        if (!is_well_sealed(integration)) {
            finding.faults.push_back("not sealed as it has to be: " + integration.id.text());
            continue;
        }
        keys::GetStatus ask{integration.workspace, {integration.id}};
        auto status = co_await grounds_.keeper.call(std::move(ask), keeper_deadline());
        if (!status) co_return fail(std::move(status.error()));
        if (status->items.size() != 1) co_return fail(TrustError::out_of_sight);
        if (status->items.front().lease.open) {
            ++leased;
            continue;
        }
        const auto opened = co_await opens_without_anything(&integration);
        if (!opened) co_return fail(opened.error());
        if (!*opened) ++refused;
        if (*opened) finding.faults.push_back("opens without a lease: " + integration.id.text());
    }
    finding.evidence.push_back(count_of(integrations.size(), "active integration") + ": " +
                               std::to_string(refused) + " refused by keeper without a lease, " +
                               std::to_string(leased) + " leased by somebody");
    co_return finding;
}

async::Task<Finding> Access::sealed(Canary::Key outsider) {
    auto finding = co_await try_canary(outsider);
    if (!finding) co_return finding;
    auto active = co_await grounds_.seals.active();
    if (!active) co_return fail(std::move(active.error()));
    auto seals = co_await judge_seals(std::move(*active));
    if (!seals) co_return seals;
    for (auto& line : seals->evidence)
        finding->evidence.push_back(std::move(line));
    for (auto& line : seals->faults)
        finding->faults.push_back(std::move(line));
    co_return finding;
}

async::Task<std::vector<keys::IntegrationStatus>> Access::statuses(std::vector<rows::Ended> ended) {
    std::map<WorkspaceId, std::vector<IntegrationId>> by_workspace;
    for (const auto& each : ended)
        by_workspace[each.workspace].push_back(each.id);
    std::vector<keys::IntegrationStatus> out;
    for (const auto& [workspace, ids] : by_workspace) {
        for (std::size_t from = 0; from < ids.size(); from += k_status_batch) {
            const auto until = std::min(ids.size(), from + k_status_batch);
            keys::GetStatus ask;
            ask.workspace = workspace;
            ask.integrations.assign(ids.begin() + static_cast<std::ptrdiff_t>(from),
                                    ids.begin() + static_cast<std::ptrdiff_t>(until));
            auto answer = co_await grounds_.keeper.call(std::move(ask), keeper_deadline());
            if (!answer) co_return fail(std::move(answer.error()));
            out.insert(out.end(), answer->items.begin(), answer->items.end());
        }
    }
    co_return out;
}

/// Whatever its row says: what counts is the keys. Those of a pending epoch are of a connection
/// that is being made anew, which only an integration that is not deleted can have.
bool has_keys(const keys::IntegrationStatus& status, std::string_view state) {
    const bool live = status.known && !status.cut_off;
    const bool pending = state == "deleted" && status.pending_epoch != 0;
    return live || pending || status.keys > 0;
}

void judge_keys(Finding& finding,
                const std::vector<keys::IntegrationStatus>& known,
                std::string_view state) {
    const auto open = std::ranges::count_if(
        known, [state](const keys::IntegrationStatus& each) { return has_keys(each, state); });
    const auto what = count_of(known.size(), "integration") + " " + std::string(state);
    add(finding, open == 0,
        what + ": the keyring has no share and no grant key of any, as counted in its rows",
        std::to_string(open) + " of " + what + " still has keys in the keyring");
}

/// What the store says is over is over in the keyring, and nothing is left of it in the store.
async::Task<Finding> Access::judge_ended(std::string_view state) {
    struct Seen {
        std::vector<rows::Ended> ended;
        std::int64_t left = 0;
        std::int64_t stale = 0;
    };
    const auto body = [state](Transaction& tx) -> Result<Seen> {
        Seen seen;
        POSTERN_TRY(seen.ended, rows::ended(tx, state, k_ended_max));
        POSTERN_TRY(seen.left, rows::access_left(tx, state));
        POSTERN_TRY(seen.stale, rows::stale_grants(tx));
        return seen;
    };
    auto seen = co_await grounds_.database.read(body);
    if (!seen) co_return fail(std::move(seen.error()));
    const auto total = seen->ended.size();
    const auto known = co_await statuses(std::move(seen->ended));
    if (!known) co_return fail(known.error());
    if (known->size() != total) co_return fail(TrustError::out_of_sight);
    Finding finding;
    judge_keys(finding, *known, state);
    add(finding, seen->left == 0, "no seal and no grant of them is left in the store",
        std::to_string(seen->left) + " seals and grants outlived them in the store");
    add(finding, seen->stale == 0, "no grant of an earlier epoch is left",
        std::to_string(seen->stale) + " grants of an earlier epoch are left");
    co_return finding;
}

async::Task<Finding> Access::stays_cut_off(bool cut_off) {
    auto sealed = co_await canary_.seal();
    if (!sealed) co_return fail(std::move(sealed.error()));
    const auto before = co_await canary_.opens(Canary::Key::right);
    if (!before) co_return fail(before.error());
    if (cut_off) {
        auto ended = co_await canary_.cut_off();
        if (!ended) co_return fail(std::move(ended.error()));
    }
    const auto after = co_await canary_.opens(Canary::Key::right);
    if (!after) co_return fail(after.error());
    auto ended = co_await canary_.cut_off();
    if (!ended) co_return fail(std::move(ended.error()));
    auto finding = co_await judge_ended("cut_off");
    if (!finding) co_return finding;
    add(*finding, *before, "a fresh credential opened with its secret",
        "a sealed credential does not open with its own secret");
    add(*finding, !*after, "after its cut-off the right secret opens nothing",
        "the right secret opens a credential after its cut-off");
    co_return finding;
}

async::Task<Finding> Access::deleted() {
    auto finding = co_await judge_ended("deleted");
    if (!finding) co_return finding;
    const auto body = [](Transaction& tx) {
        return rows::threads_of_ended(tx, k_threads_read_max);
    };
    const auto threads = co_await grounds_.database.read(body);
    if (!threads) co_return fail(threads.error());
    std::size_t unreadable = 0;
    for (const auto& thread : *threads) {
        const auto opened = co_await grounds_.history.open(thread.workspace, thread.thread);
        if (!opened) co_return fail(opened.error());
        unreadable += opened->unreadable > 0 || opened->messages == 0 ? 1U : 0U;
    }
    add(*finding, unreadable == 0,
        count_of(threads->size(), "thread") + " of ended integrations read: all are there",
        count_of(unreadable, "thread") + " of an ended integration cannot be read any more");
    co_return finding;
}

/// The rows of judge_ended() with one integration that should have nothing left.
async::Task<Finding> Access::planted_access(std::string_view state) {
    const auto plant = [state](Transaction& tx) { return rows::plant_access_left(tx, state); };
    const auto look = [state](Transaction& tx) { return rows::access_left(tx, state); };
    const auto left = co_await with_planted<std::int64_t>(&grounds_.database, plant, look);
    if (!left) co_return fail(left.error());
    Finding finding;
    if (*left > 0) finding.faults.emplace_back("a planted grant is seen");
    co_return finding;
}

/// An integration of nobody's, of which keeper plants one key of each kind.
async::Task<Finding> Access::planted_keys(std::string_view state) {
    keys::GetStatus ask;
    ask.workspace = k_installation;
    std::array<std::uint8_t, 16> nobody{};
    crypto::fill_random(nobody);
    ask.integrations.emplace_back(nobody);
    ask.planted = true;
    const auto planted = co_await grounds_.keeper.call(std::move(ask), keeper_deadline());
    if (!planted) co_return fail(planted.error());
    const bool all_seen =
        planted->items.size() == 1 && planted->items.front().keys == k_kinds_of_keys;
    Finding finding;
    if (all_seen) judge_keys(finding, planted->items, state);
    co_return finding;
}

/// Each part of a control has to see what was planted for it.
async::Task<Finding> access_left_control(std::shared_ptr<Access> access, std::string_view state) {
    auto rows = co_await access->planted_access(state);
    if (!rows || rows->faults.empty()) co_return rows;
    co_return co_await access->planted_keys(state);
}

async::Task<Finding> sealed_control(std::shared_ptr<Access> access) {
    auto opened = co_await access->sealed(Canary::Key::right);
    if (opened && !access->would_find_in_clear()) opened->faults.clear();
    co_return opened;
}

Claim sealed_claim(const std::shared_ptr<Access>& access) {
    Claim claim;
    claim.id = "P1.sealed";
    claim.text =
        "A credential is stored only sealed under the shared secret that its holder chose; "
        "without that secret, a lease or a grant nothing on this host opens it.";
    claim.method =
        "a credential of nobody's is sealed in the real keyring, looked for in its seal byte for "
        "byte, in hexadecimal and in base64, and tried without a secret, with another and with its "
        "own; every stored seal is looked at, and keeper asked to use it";
    claim.planted =
        "somebody who has the right secret and should not, and a seal with its credential put in, "
        "once in each of those forms";
    claim.cost = "three Argon2 computations, one question to keeper for each integration";
    claim.check = [access] { return access->sealed(Canary::Key::wrong); };
    claim.control = [access] { return sealed_control(access); };
    return claim;
}

async::Task<Finding> cut_off_control(std::shared_ptr<Access> access) {
    auto left = co_await access_left_control(access, "cut_off");
    if (!left || left->faults.empty()) co_return left;
    co_return co_await access->stays_cut_off(false);
}

Claim cut_off_claim(const std::shared_ptr<Access>& access) {
    Claim claim;
    claim.id = "P2.cut-off";
    claim.text =
        "A cut-off ends access at once: afterwards not even the right secret opens the "
        "integration, and its keys are destroyed.";
    claim.method =
        "a credential of nobody's is sealed in the real keyring, opened, cut off and tried again "
        "with its right secret; for every integration that is cut off keeper counts the shares and "
        "grant keys in its rows, and the store is searched for seals and grants";
    claim.planted =
        "a credential that was not cut off, a grant of a cut-off integration, and one key of each "
        "kind in the keyring of one that should have none";
    claim.cost = "three Argon2 computations, six counts over integrations";
    claim.check = [access] { return access->stays_cut_off(true); };
    claim.control = [access] { return cut_off_control(access); };
    return claim;
}

Claim deleted_claim(const std::shared_ptr<Access>& access) {
    Claim claim;
    claim.id = "P9.deletion";
    claim.text =
        "Deleting an integration ends all access to what is behind it; the outreach history stays "
        "and can be read.";
    claim.method =
        "for every deleted integration keeper counts the shares and grant keys in its rows, and "
        "the store is searched for seals and grants; threads of ended integrations are opened";
    claim.planted =
        "a grant of a deleted integration, and one key of each kind in the keyring of one that "
        "should have none";
    claim.cost = "six counts over integrations, at most 20 threads";
    claim.check = [access] { return access->deleted(); };
    claim.control = [access] { return access_left_control(access, "deleted"); };
    return claim;
}

}  // namespace

std::vector<Claim> access_claims(Grounds grounds) {
    const auto access = std::make_shared<Access>(std::move(grounds));
    return {sealed_claim(access), cut_off_claim(access), deleted_claim(access)};
}

}  // namespace postern::trust
