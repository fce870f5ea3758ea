#include "features/mail/issued_ids.h"

#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/message_id.h"
#include "foundation/codec/mail/our_message_id.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {

using namespace std::chrono_literals;

async::Task<std::string> IssuedIds::issue(const Mailbox* mailbox,
                                          std::array<std::uint8_t, 16> thread,
                                          std::uint32_t number) {
    const auto label = codec::IdLabel::parse(mailbox->search_label);
    if (!label) co_return fail(Error(label.error()));
    codec::OurMessageId id;
    id.thread = thread;
    id.number = number;
    auto mac =
        co_await keys::compute_mac(&parts_.keeper, mailbox->workspace, keys::MacPurpose::message_id,
                                   id.mac_input(mailbox->id.bytes()), Deadline::in(20s));
    if (!mac) co_return fail(std::move(mac.error()));
    if (mac->size() < id.mac.size()) co_return fail(keys::KeyError::cannot_open);
    std::copy_n(mac->begin(), id.mac.size(), id.mac.begin());
    co_return id.text(*label);
}

async::Task<std::optional<IssuedId>> IssuedIds::of_thread(const Mailbox* mailbox,
                                                          codec::OurMessageId id,
                                                          std::string text) {
    const auto workspace = mailbox->workspace;
    const auto token = id.thread;
    const auto body = [workspace, token](store::Transaction& tx) {
        return rows::find_thread(tx, workspace, token);
    };
    auto thread = co_await parts_.database.read(body);
    if (!thread) co_return fail(std::move(thread.error()));
    auto& found = *thread;
    if (!found || found->integration != mailbox->id) co_return std::optional<IssuedId>{};
    co_return IssuedId{std::move(*found), id.number, std::move(text)};
}

/// Whoever knows such an id has the mail, or was shown its header.
async::Task<std::optional<IssuedId>> IssuedIds::learned(const Mailbox* mailbox,
                                                        const std::vector<std::string>* ids) {
    std::size_t checked = 0;
    for (const auto& text : *ids) {
        if (codec::ends_in_label(text, mailbox->search_label)) continue;
        if (++checked > k_checked_max) break;
        auto known = co_await learned_.find(mailbox, text);
        if (!known) co_return fail(std::move(known.error()));
        const auto message = std::move(*known);
        if (!message) continue;
        const auto workspace = mailbox->workspace;
        const auto thread_id = message->thread;
        const auto body = [workspace, thread_id](store::Transaction& tx) {
            return rows::load_thread(tx, workspace, thread_id);
        };
        auto thread = co_await parts_.database.read(body);
        if (!thread) co_return fail(std::move(thread.error()));
        co_return IssuedId{std::move(*thread), message->number, text};
    }
    co_return std::optional<IssuedId>{};
}

async::Task<std::optional<IssuedId>> IssuedIds::find(const Mailbox* mailbox,
                                                     const std::vector<std::string>* ids) {
    const auto label = codec::IdLabel::parse(mailbox->search_label);
    if (!label) co_return fail(Error(label.error()));
    std::vector<codec::OurMessageId> parsed;
    std::vector<std::string> texts;
    keys::ComputeMacs ask;
    ask.workspace = mailbox->workspace;
    ask.purpose = keys::MacPurpose::message_id;
    for (const auto& text : *ids) {
        const auto id = codec::OurMessageId::parse(text, *label);
        if (!id || parsed.size() == k_checked_max) continue;
        ask.values.push_back(id->mac_input(mailbox->id.bytes()));
        parsed.push_back(*id);
        texts.push_back(text);
    }
    if (parsed.empty()) co_return co_await learned(mailbox, ids);
    auto macs = co_await parts_.keeper.call(std::move(ask), Deadline::in(20s));
    if (!macs) co_return fail(std::move(macs.error()));
    for (std::size_t i = 0; i < parsed.size() && i < macs->macs.size(); ++i) {
        const auto& mac = macs->macs[i];
        if (mac.size() < parsed[i].mac.size() ||
            !std::equal(parsed[i].mac.begin(), parsed[i].mac.end(), mac.begin())) {
            continue;
        }
        auto found = co_await of_thread(mailbox, parsed[i], texts[i]);
        if (!found || found->has_value()) co_return found;
    }
    co_return co_await learned(mailbox, ids);
}

}  // namespace postern::mail
