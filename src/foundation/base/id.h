#pragma once

#include "foundation/base/bytes.h"

#include <array>
#include <compare>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

/// 128-bit identifier; `Id<ThreadTag>` prints as "thr_" and 26 characters of lower-case Crockford
/// base32. 48 bits of milliseconds come first, so that new rows lie together and a listing by id
/// is a listing by age.
template <typename Tag>
class Id {
public:
    constexpr Id() = default;
    constexpr explicit Id(std::array<std::uint8_t, 16> bytes) : bytes_(bytes) {}

    /// A fresh one from the system's generator and the given time.
    [[nodiscard]] static Id make(std::int64_t now_ms);
    /// Nothing unless the text is exactly what text() prints.
    [[nodiscard]] static std::optional<Id> parse(std::string_view text);
    [[nodiscard]] static std::optional<Id> from_bytes(ByteView bytes) {
        if (bytes.size() != 16) return std::nullopt;
        Id id;
        std::memcpy(id.bytes_.data(), bytes.data(), 16);
        return id;
    }

    [[nodiscard]] std::string text() const;
    [[nodiscard]] ByteView bytes() const noexcept { return bytes_; }
    [[nodiscard]] const std::array<std::uint8_t, 16>& raw() const noexcept { return bytes_; }
    [[nodiscard]] bool is_null() const noexcept { return *this == Id{}; }

    auto operator<=>(const Id&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

struct WorkspaceTag {
    static constexpr std::string_view k_prefix = "wks_";
};
struct PersonTag {
    static constexpr std::string_view k_prefix = "per_";
};
struct TokenTag {
    static constexpr std::string_view k_prefix = "tok_";
};
struct SessionTag {
    static constexpr std::string_view k_prefix = "ses_";
};
struct IntegrationTag {
    static constexpr std::string_view k_prefix = "int_";
};
struct HolderTag {
    static constexpr std::string_view k_prefix = "hld_";
};
struct GrantTag {
    static constexpr std::string_view k_prefix = "grt_";
};
struct ReceiptTag {
    static constexpr std::string_view k_prefix = "rcp_";
};
struct CreatorTag {
    static constexpr std::string_view k_prefix = "cre_";
};
struct ThreadTag {
    static constexpr std::string_view k_prefix = "thr_";
};
struct MessageTag {
    static constexpr std::string_view k_prefix = "msg_";
};
struct AttachmentTag {
    static constexpr std::string_view k_prefix = "att_";
};
struct EventTag {
    static constexpr std::string_view k_prefix = "evt_";
};

using WorkspaceId = Id<WorkspaceTag>;
using PersonId = Id<PersonTag>;
using TokenId = Id<TokenTag>;
using SessionId = Id<SessionTag>;
using IntegrationId = Id<IntegrationTag>;
using HolderId = Id<HolderTag>;
using GrantId = Id<GrantTag>;
using ReceiptId = Id<ReceiptTag>;
using CreatorId = Id<CreatorTag>;
using ThreadId = Id<ThreadTag>;
using MessageId = Id<MessageTag>;
using AttachmentId = Id<AttachmentTag>;

/// Rows of the installation itself (people, sessions) stand in this workspace.
inline constexpr WorkspaceId k_installation{};

namespace detail {
std::array<std::uint8_t, 16> make_id_bytes(std::int64_t now_ms);
std::string id_text(std::string_view prefix, const std::array<std::uint8_t, 16>& bytes);
std::optional<std::array<std::uint8_t, 16>> parse_id(std::string_view prefix,
                                                     std::string_view text);
}  // namespace detail

template <typename Tag>
Id<Tag> Id<Tag>::make(std::int64_t now_ms) {
    return Id(detail::make_id_bytes(now_ms));
}
template <typename Tag>
std::optional<Id<Tag>> Id<Tag>::parse(std::string_view text) {
    const auto bytes = detail::parse_id(Tag::k_prefix, text);
    if (!bytes) return std::nullopt;
    return Id(*bytes);
}
template <typename Tag>
std::string Id<Tag>::text() const {
    return detail::id_text(Tag::k_prefix, bytes_);
}

}  // namespace postern
