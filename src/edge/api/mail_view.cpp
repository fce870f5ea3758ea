#include "edge/api/mail_view.h"

#include "features/mail/mail_types.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/reader_protocol.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/codec/json.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace postern::api {
namespace {

using codec::JsonWriter;

constexpr std::string_view k_attachment_prefix = "att_";

void add_address(JsonWriter& json, std::string_view name, const mail::MailAddress& address) {
    json.begin_object(name)
        .field("name", address.name)
        .field("address", address.address)
        .end_object();
}

void add_addresses(JsonWriter& json,
                   std::string_view name,
                   const std::vector<mail::MailAddress>& addresses) {
    json.begin_array(name);
    for (const auto& address : addresses)
        add_address(json, {}, address);
    json.end_array();
}

void add_attachments(JsonWriter& json, const std::vector<mail::AttachmentInfo>& attachments) {
    json.begin_array("attachments");
    for (std::size_t i = 0; i < attachments.size(); ++i) {
        json.begin_object()
            .field("id", attachment_id(i))
            .field("name", attachments[i].name)
            .field("type", attachments[i].type)
            .field("bytes", static_cast<std::int64_t>(attachments[i].bytes))
            .field("inline", attachments[i].is_inline)
            .end_object();
    }
    json.end_array();
}

/// Somebody who left at this moment has no address any more.
void add_people(JsonWriter& json, const std::vector<PersonId>& people, const Addresses& addresses) {
    json.begin_array("people");
    for (const auto person : people) {
        const auto found = addresses.find(person);
        json.begin_object()
            .field("id", person.text())
            .field("email", found == addresses.end() ? "" : found->second)
            .end_object();
    }
    json.end_array();
}

void add_bounces(JsonWriter& json, const std::vector<mail::BounceView>& bounces) {
    json.begin_array("bounces");
    for (const auto& bounce : bounces) {
        json.begin_object();
        add_address(json, "recipient", bounce.detail.recipient);
        json.field("action", name_of(bounce.action))
            .field("status", bounce.status)
            .field("diagnostic", bounce.detail.diagnostic)
            .field("at", rfc3339(bounce.at_ms))
            .end_object();
    }
    json.end_array();
}

}  // namespace

std::string attachment_id(std::size_t index) {
    return std::string(k_attachment_prefix) + std::to_string(index);
}

std::optional<std::uint32_t> parse_attachment_id(std::string_view text) {
    if (!text.starts_with(k_attachment_prefix)) return std::nullopt;
    text.remove_prefix(k_attachment_prefix.size());
    std::uint32_t index = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
    return index;
}

std::string outline_json(const mail::MessageOutline& outline) {
    JsonWriter json;
    json.begin_object()
        .field("id", outline.id.text())
        .field("thread_id", outline.thread.text())
        .field("direction", outline.direction == mail::Direction::out ? "out" : "in")
        .field("state", name_of(outline.state));
    if (!outline.failure_code.empty()) json.field("failure_code", outline.failure_code);
    if (outline.direction == mail::Direction::in) {
        json.field("author_kind", name_of(outline.author_kind));
    } else {
        json.field("bounced", outline.bounced);
    }
    json.field("created_at", rfc3339(outline.created_at_ms)).end_object();
    return json.take();
}

std::string message_json(const mail::MessageView& message) {
    const auto& body = message.body;
    JsonWriter json;
    json.begin_object()
        .field("id", message.id.text())
        .field("thread_id", message.thread.text())
        .field("direction", message.direction == mail::Direction::out ? "out" : "in")
        .field("state", name_of(message.state))
        .field("readable", message.readable);
    if (!message.failure_code.empty()) json.field("failure_code", message.failure_code);
    if (message.direction == mail::Direction::in) {
        json.field("author_kind", name_of(message.author_kind));
    } else {
        add_bounces(json, message.bounces);
    }
    json.field("message_id", body.message_id.empty() ? "" : "<" + body.message_id + ">");
    add_address(json, "from", body.from.empty() ? mail::MailAddress{} : body.from.front());
    add_addresses(json, "to", body.to);
    add_addresses(json, "cc", body.cc);
    json.field("date", rfc3339(body.date_ms != 0 ? body.date_ms : message.created_at_ms))
        .field("subject", body.subject)
        .field("text", body.text)
        .field("new_text", body.new_text)
        .field("html", body.html);
    add_attachments(json, body.attachments);
    json.begin_array("defects");
    for (const auto& defect : body.defects)
        json.item(defect);
    json.end_array().field("created_at", rfc3339(message.created_at_ms)).end_object();
    return json.take();
}

std::string thread_json(const mail::ThreadView& thread,
                        const Addresses& addresses,
                        bool with_messages) {
    JsonWriter json;
    json.begin_object()
        .field("id", thread.id.text())
        .field("integration_id", thread.integration.text())
        .field("subject", thread.subject)
        .begin_array("creators");
    for (const auto& creator : thread.creators)
        json.item(creator.text());
    json.end_array().field("private", thread.private_to.has_value());
    if (thread.private_to) add_people(json, *thread.private_to, addresses);
    if (with_messages) {
        json.begin_array("messages");
        for (const auto& message : thread.messages)
            json.raw_item(message_json(message));
        json.end_array();
    }
    json.field("created_at", rfc3339(thread.created_at_ms))
        .field("updated_at", rfc3339(thread.updated_at_ms))
        .end_object();
    return json.take();
}

std::string held_json(const mail::HeldView& held) {
    JsonWriter json;
    json.begin_object()
        .field("id", held.id.text())
        .field("thread_id", held.thread.text())
        .field("integration_id", held.integration.text())
        .field("reason", held.reason);
    add_address(json, "sender", held.sender);
    json.field("date", rfc3339(held.created_at_ms)).field("more", held.more).end_object();
    return json.take();
}

}  // namespace postern::api
