#include "platform/audit/record.h"

#include "foundation/base/bytes.h"
#include "foundation/base/check.h"

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
        case By::Kind::nobody: return "nobody";
    }
    return "nobody";
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
