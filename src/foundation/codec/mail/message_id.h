#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::codec {

inline constexpr std::size_t k_message_id_bytes_max = 998;
/// How much of one field is looked at: all of a header of 1 MB, which some clients do write.
inline constexpr std::size_t k_id_field_bytes_max = 2 * 1024 * 1024;

/// Takes the ids out of a Message-ID, In-Reply-To or References value, one after the other, without
/// angle brackets and exactly as written but for blanks inside (folding). Understands missing
/// brackets, encoded words and phrases between ids; what stands in a comment or a quoted string is
/// none. Longer ids than k_message_id_bytes_max are left out. Linear in the size of the value.
class MessageIdReader {
public:
    /// Lifetime: `value` outlives the reader.
    explicit MessageIdReader(std::string_view value);
    MessageIdReader(const MessageIdReader&) = delete;
    MessageIdReader& operator=(const MessageIdReader&) = delete;

    [[nodiscard]] std::optional<std::string> next();

private:
    bool skip_quiet_part();
    [[nodiscard]] std::string take_bracketed();
    [[nodiscard]] std::string take_bare();

    std::string decoded_;
    std::string_view rest_;
    bool comments_ = true;  ///< false behind a "(" that nothing closes
    bool quotes_ = true;
};

/// The first id of a value.
[[nodiscard]] std::optional<std::string> first_message_id(std::string_view value);

/// True when `id` is more than `label` and ends in it; the case of letters does not matter there,
/// because clients change that of domains. `label`: "@{box}.ptn.{domain}".
[[nodiscard]] bool ends_in_label(std::string_view id, std::string_view label) noexcept;

/// The ids that end in `label`, each once, in their order, at most `ids_max`; appended to `ids`.
void append_labelled_ids(std::string_view value,
                         std::string_view label,
                         std::size_t ids_max,
                         std::vector<std::string>& ids);

}  // namespace postern::codec
