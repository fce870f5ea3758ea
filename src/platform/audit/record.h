#pragma once

#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "foundation/base/id.h"
#include "foundation/crypto/hash.h"
#include "platform/store/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::audit {

/// An id's text, a number or the name of a state: letters, digits, "_", "-" and "." only.
struct Field {
    PublicText name;
    std::string value;
};

/// Who did it. Ids only; where they came from is sealed.
struct By {
    enum class Kind : std::uint8_t {
        person,
        token,
        host,    ///< somebody at the command line of the machine
        server,  ///< what happens by itself
        nobody,  ///< who is not signed in
    };
    Kind kind = Kind::nobody;
    std::string id;    ///< of the person or token
    std::string from;  ///< their address as text; empty: not known
};
[[nodiscard]] std::string_view name_of(By::Kind kind);
[[nodiscard]] inline By by_host() {
    return {By::Kind::host, {}, {}};
}
[[nodiscard]] inline By by_server() {
    return {By::Kind::server, {}, {}};
}
/// "person per_..."; kind and id, without where they were. What is none of these is nobody.
[[nodiscard]] std::string kind_and_id(const By& by);
[[nodiscard]] By parse_kind_and_id(std::string_view text);

/// Something that somebody did.
struct Act {
    By by;
    PublicText action;         ///< "token.created"
    std::vector<Field> about;  ///< at most k_fields_max
};
inline constexpr std::size_t k_fields_max = 16;

/// One line of a workspace's record, as it is stored.
struct StoredRecord {
    std::int64_t number = 0;  ///< from 1, without a gap
    UnixMs at_ms = 0;
    std::string action;
    std::string facts;  ///< JSON: by whom, and about what
    Bytes seal_row;     ///< what the details are bound to
    std::optional<store::SealedBytes> details;
    Bytes segment;
    std::int64_t step = 0;  ///< in the segment
    Bytes mac;
};

/// {"by":"person","by_id":"per_...","token_id":"tok_..."}
[[nodiscard]] std::string facts_json(const Act& act);

/// What its MAC is over: the record at its place in its workspace's chain, and the MAC before it,
/// which is empty for the first one. Every part is behind its length.
[[nodiscard]] crypto::Hash digest_of(WorkspaceId workspace,
                                     const StoredRecord& record,
                                     ByteView mac_before);

}  // namespace postern::audit
