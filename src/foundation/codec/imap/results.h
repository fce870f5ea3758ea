#pragma once

#include "foundation/base/bytes.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/uid_set.h"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace postern::imap {

/// The command was done and has nothing to tell.
struct Done {};

/// Of EXAMINE and STATUS. What the server left out is missing.
struct FolderState {
    std::optional<std::uint32_t> uid_validity;
    std::optional<Uid> uid_next;
    std::optional<std::uint32_t> exists;
};

/// What a server told of a folder without being asked (NOTIFY): numbers only.
struct FolderNews {
    FolderName folder;
    FolderState state;
};

enum class SpecialUse { all, archive, drafts, flagged, junk, sent, trash };

struct Folder {
    FolderName name;
    std::optional<char> delimiter;
    bool selectable = true;
    std::vector<SpecialUse> special_uses;

    [[nodiscard]] bool is(SpecialUse use) const;
};
struct FolderList {
    std::vector<Folder> folders;
};

/// Ascending, each once.
struct SearchResult {
    std::vector<Uid> uids;
};

/// The header fields that were asked for, as they stand in the mail. Wiped when dropped: in the
/// fallback they belong to other people's mail.
struct FetchedHeaders {
    Uid uid = 0;
    std::optional<std::uint64_t> mail_bytes;
    WipedBytes block;
};
/// Mails that are gone meanwhile are missing.
struct HeaderBatch {
    std::vector<FetchedHeaders> mails;
};

struct FetchedBody {
    Uid uid = 0;
    std::uint64_t bytes = 0;
};

/// Where the server told it (UIDPLUS).
struct Appended {
    std::optional<std::uint32_t> uid_validity;
    std::optional<Uid> uid;
};

using Answer =
    std::variant<Done, FolderState, FolderList, SearchResult, HeaderBatch, FetchedBody, Appended>;

}  // namespace postern::imap
