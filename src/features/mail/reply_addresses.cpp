#include "features/mail/reply_addresses.h"

#include "features/mail/issued_ids.h"
#include "features/mail/mail_store.h"
#include "features/mail/mail_types.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/our_message_id.h"
#include "foundation/codec/mail/reply_address.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/transaction.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;
using Tag = codec::ReplyAddressForm::Tag;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

Bytes index_input(const Tag& tag) {
    auto out = to_bytes(std::string_view("reply:"));
    out.insert(out.end(), tag.begin(), tag.end());
    return out;
}

/// Each once, in their order.
std::vector<Tag> tags_in(const codec::ReplyAddressForm& form,
                         const std::vector<MailAddress>& recipients) {
    std::vector<Tag> out;
    for (const auto& one : recipients) {
        const auto tag = form.tag_of(one.address);
        if (!tag || std::ranges::find(out, *tag) != out.end()) continue;
        out.push_back(*tag);
        if (out.size() == ReplyAddresses::k_checked_max) break;
    }
    return out;
}

}  // namespace

std::optional<codec::ReplyAddressForm> ReplyAddresses::form_of(const Mailbox& mailbox) {
    const auto label = codec::IdLabel::parse(mailbox.search_label);
    if (!label) return std::nullopt;
    auto form = codec::ReplyAddressForm::make(mailbox.address, *label);
    if (!form) return std::nullopt;
    return std::move(*form);
}

async::Task<Bytes> ReplyAddresses::place_mac(const Mailbox* mailbox) {
    co_return co_await keys::compute_mac(
        &parts_.keeper, mailbox->workspace, keys::MacPurpose::origin,
        to_bytes("place:" + mailbox->address + "\n" + mailbox->imap_host), keeper_deadline());
}

async::Task<std::optional<rows::ReplyProbeRow>> ReplyAddresses::probe_of(const Mailbox* mailbox) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto load = [workspace, integration](store::Transaction& tx) {
        return rows::load_reply_probe(tx, workspace, integration);
    };
    co_return co_await parts_.database.read(load);
}

async::Task<ReplyAddressState> ReplyAddresses::state(const Mailbox* mailbox) {
    if (!mailbox->reads_replies || !form_of(*mailbox)) co_return ReplyAddressState::not_possible;
    struct Stored {
        rows::ProbeRow search;
        std::optional<rows::ReplyProbeRow> probe;
    };
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto load = [workspace, integration](store::Transaction& tx) -> Result<Stored> {
        Stored out;
        POSTERN_TRY(out.search, rows::load_probe(tx, workspace, integration));
        POSTERN_TRY(out.probe, rows::load_reply_probe(tx, workspace, integration));
        return out;
    };
    auto stored = co_await parts_.database.read(load);
    if (!stored) co_return fail(std::move(stored.error()));
    // Where each mail's thread fields are looked at, whom it goes to is not: nothing is found by
    // that.
    if (stored->search.looks_by_headers) co_return ReplyAddressState::not_possible;
    const auto probe = std::move(stored->probe);
    if (!probe) co_return ReplyAddressState::not_tried;
    auto place = co_await place_mac(mailbox);
    if (!place) co_return fail(std::move(place.error()));
    if (*place != probe->place_mac) co_return ReplyAddressState::not_tried;
    switch (probe->state) {
        case rows::ReplyProbeState::arrived: co_return ReplyAddressState::arrives;
        case rows::ReplyProbeState::returned: co_return ReplyAddressState::did_not_arrive;
        case rows::ReplyProbeState::not_sent: co_return ReplyAddressState::not_tried;
        case rows::ReplyProbeState::sent: break;
    }
    const auto waited = std::chrono::milliseconds(parts_.clock.now_ms() - probe->sent_at_ms);
    co_return waited < k_arrives_within ? ReplyAddressState::waiting
                                        : ReplyAddressState::did_not_arrive;
}

async::Task<Tag> ReplyAddresses::tag_of(const Mailbox* mailbox, Token token) {
    auto mac = co_await keys::compute_mac(
        &parts_.keeper, mailbox->workspace, keys::MacPurpose::message_id,
        codec::ReplyAddressForm::mac_input(mailbox->id.bytes(), token), keeper_deadline());
    if (!mac) co_return fail(std::move(mac.error()));
    Tag tag{};
    if (mac->size() < tag.size()) co_return fail(keys::KeyError::cannot_open);
    std::copy_n(mac->begin(), tag.size(), tag.begin());
    co_return tag;
}

async::Task<std::string> ReplyAddresses::address_of(const Mailbox* mailbox, Token token) {
    const auto form = form_of(*mailbox);
    if (!form) co_return fail(MailServiceError::reply_address_not_possible);
    auto tag = co_await tag_of(mailbox, token);
    if (!tag) co_return fail(std::move(tag.error()));
    co_return form->text(*tag);
}

async::Task<std::optional<ReplyAddresses::Given>> ReplyAddresses::to_give(const Mailbox* mailbox,
                                                                          Token token) {
    auto known = co_await state(mailbox);
    if (!known) co_return fail(std::move(known.error()));
    const auto form = form_of(*mailbox);
    if (*known != ReplyAddressState::arrives || !form) co_return std::optional<Given>{};
    auto tag = co_await tag_of(mailbox, token);
    if (!tag) co_return fail(std::move(tag.error()));
    auto mac =
        co_await keys::compute_mac(&parts_.keeper, mailbox->workspace, keys::MacPurpose::origin,
                                   index_input(*tag), keeper_deadline());
    if (!mac) co_return fail(std::move(mac.error()));
    co_return Given{form->text(*tag), std::move(*mac)};
}

async::Task<std::optional<rows::ThreadRow>> ReplyAddresses::find(
    const Mailbox* mailbox, const std::vector<MailAddress>* recipients) {
    using Found = std::optional<rows::ThreadRow>;
    const auto form = form_of(*mailbox);
    if (!form) co_return Found{};
    const auto tags = tags_in(*form, *recipients);
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    for (const auto& tag : tags) {
        auto mac = co_await keys::compute_mac(&parts_.keeper, workspace, keys::MacPurpose::origin,
                                              index_input(tag), keeper_deadline());
        if (!mac) co_return fail(std::move(mac.error()));
        const auto load = [workspace, integration, mac = *mac](store::Transaction& tx) {
            return rows::find_reply_address(tx, workspace, integration, mac);
        };
        auto row = co_await parts_.database.read(load);
        if (!row) co_return fail(std::move(row.error()));
        auto thread = std::move(*row);
        if (!thread || thread->integration != integration) continue;
        // The row says where to look, keeper's MAC that the address is one we gave out.
        auto expected = co_await tag_of(mailbox, thread->token);
        if (!expected) co_return fail(std::move(expected.error()));
        if (*expected == tag) co_return Found(std::move(thread));
    }
    co_return Found{};
}

async::Task<> ReplyAddresses::settle(const Mailbox* mailbox,
                                     Token token,
                                     rows::ReplyProbeState state) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    const auto body = [workspace, integration, token, state](store::Transaction& tx) {
        return rows::settle_reply_probe(tx, workspace, integration, token, state);
    };
    co_return co_await parts_.database.write(body);
}

async::Task<bool> ReplyAddresses::take_probe(const Mailbox* mailbox,
                                             const std::vector<MailAddress>* recipients,
                                             bool was_delivered) {
    const auto form = form_of(*mailbox);
    if (!form) co_return false;
    const auto tags = tags_in(*form, *recipients);
    if (tags.empty()) co_return false;
    auto row = co_await probe_of(mailbox);
    if (!row) co_return fail(std::move(row.error()));
    const auto probe = std::move(*row);
    if (!probe) co_return false;
    auto expected = co_await tag_of(mailbox, probe->token);
    if (!expected) co_return fail(std::move(expected.error()));
    if (std::ranges::find(tags, *expected) == tags.end()) co_return false;
    if (!was_delivered) co_return true;
    auto settled = co_await settle(mailbox, probe->token, rows::ReplyProbeState::arrived);
    if (!settled) co_return fail(std::move(settled.error()));
    co_return true;
}

async::Task<bool> ReplyAddresses::take_bounce(const Mailbox* mailbox,
                                              const std::vector<std::string>* our_ids) {
    if (our_ids->empty()) co_return false;
    auto row = co_await probe_of(mailbox);
    if (!row) co_return fail(std::move(row.error()));
    const auto probe = std::move(*row);
    if (!probe) co_return false;
    IssuedIds issued(parts_);
    auto id = co_await issued.issue(mailbox, probe->token, 1);
    if (!id) co_return fail(std::move(id.error()));
    if (our_ids->front() != *id) co_return false;
    auto settled = co_await settle(mailbox, probe->token, rows::ReplyProbeState::returned);
    if (!settled) co_return fail(std::move(settled.error()));
    co_return true;
}

}  // namespace postern::mail
