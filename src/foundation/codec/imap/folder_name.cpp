#include "foundation/codec/imap/folder_name.h"

#include "foundation/base/result.h"
#include "foundation/codec/imap/imap_error.h"
#include "foundation/codec/imap/limits.h"
#include "foundation/codec/imap/modified_utf7.h"

#include <algorithm>
#include <string_view>

namespace postern::imap {

Result<FolderName> FolderName::from_utf8(std::string_view name) {
    if (name.size() > k_folder_name_bytes_max) return fail(ImapError::bad_argument, "folder name");
    const bool has_control = std::ranges::any_of(
        name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (has_control) return fail(ImapError::bad_argument, "folder name");
    const auto wire = to_modified_utf7(name);
    if (!wire) return fail(ImapError::bad_argument, "folder name");
    return from_wire(*wire);
}

Result<FolderName> FolderName::from_wire(std::string_view name) {
    constexpr std::string_view k_never("\r\n\0", 3);
    if (name.empty() || name.size() > k_folder_name_bytes_max ||
        name.find_first_of(k_never) != std::string_view::npos) {
        return fail(ImapError::bad_argument, "folder name");
    }
    return FolderName(std::string(name));
}

std::string FolderName::utf8() const {
    return from_modified_utf7(wire_).value_or(wire_);
}

}  // namespace postern::imap
