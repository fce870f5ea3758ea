#include "platform/audit/record.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace postern::audit {
namespace {

constexpr std::string_view k_digest_prefix = "postern audit record 1";

void put_number(Bytes& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> shift));
}

void put(Bytes& out, ByteView part) {
    put_number(out, part.size());
    out.insert(out.end(), part.begin(), part.end());
}

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

void put_field(std::string& json, std::string_view name, std::string_view value) {
    for (const char c : value)
        POSTERN_CHECK(is_plain(c));
    if (json.size() > 1) json += ',';
    ((json += '"') += name) += "\":\"";
    (json += value) += '"';
}

}  // namespace

std::string_view name_of(By::Kind kind) {
    switch (kind) {
        case By::Kind::person: return "person";
        case By::Kind::token: return "token";
        case By::Kind::host: return "host";
        case By::Kind::server: return "server";
        case By::Kind::nobody: return "nobody";
    }
    return "nobody";
}

std::string kind_and_id(const By& by) {
    std::string text(name_of(by.kind));
    return by.id.empty() ? text : text.append(" ").append(by.id);
}

By parse_kind_and_id(std::string_view text) {
    const auto end = text.find(' ');
    const auto name = text.substr(0, end);
    By by;
    for (const auto kind : {By::Kind::person, By::Kind::token, By::Kind::host, By::Kind::server}) {
        if (name_of(kind) == name) by.kind = kind;
    }
    const auto id = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (by.kind != By::Kind::nobody && std::ranges::all_of(id, is_plain)) by.id = id;
    return by;
}

std::string facts_json(const Act& act) {
    POSTERN_CHECK(act.about.size() <= k_fields_max);
    std::string json = "{";
    put_field(json, "by", name_of(act.by.kind));
    if (!act.by.id.empty()) put_field(json, "by_id", act.by.id);
    for (const auto& [name, value] : act.about)
        put_field(json, name.view(), value);
    return json + "}";
}

crypto::Hash digest_of(WorkspaceId workspace, const StoredRecord& record, ByteView mac_before) {
    Bytes bytes = to_bytes(k_digest_prefix);
    put(bytes, workspace.bytes());
    put_number(bytes, static_cast<std::uint64_t>(record.number));
    put_number(bytes, static_cast<std::uint64_t>(record.at_ms));
    put(bytes, as_bytes(record.action));
    put(bytes, as_bytes(record.facts));
    put(bytes, record.seal_row);
    put_number(bytes, record.details ? 1 : 0);
    put(bytes, record.details ? record.details->view() : ByteView{});
    put(bytes, record.segment);
    put_number(bytes, static_cast<std::uint64_t>(record.step));
    put(bytes, mac_before);
    return crypto::sha256(bytes);
}

}  // namespace postern::audit
