#include "features/mail/courier/known_folders.h"

#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/mail/ascii.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail::courier {
namespace {

using imap::Folder;
using imap::FolderName;
using imap::SpecialUse;
using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 5> k_junk_names = {"junk", "spam", "junk e-mail",
                                                          "junk email", "bulk mail"};
constexpr std::array<std::string_view, 2> k_archive_names = {"archive", "archives"};
constexpr std::array<std::string_view, 4> k_sent_names = {"sent", "sent items", "sent messages",
                                                          "sent mail"};

/// Only at the top, or directly below INBOX: "Projects/Sent" is somebody's own folder.
bool has_name(const Folder& folder, Names names) {
    const std::string wire = codec::lower(folder.name.wire());
    std::string_view leaf = wire;
    if (folder.delimiter) {
        const std::string below_inbox = std::string("inbox") + codec::to_lower(*folder.delimiter);
        if (leaf.starts_with(below_inbox)) leaf.remove_prefix(below_inbox.size());
    }
    return std::ranges::find(names, leaf) != names.end();
}

const Folder* find(const imap::FolderList& list, SpecialUse use, Names names) {
    const Folder* found = nullptr;
    for (const auto& folder : list.folders) {
        if (!folder.selectable) continue;
        if (folder.is(use)) return &folder;
        if (found == nullptr && has_name(folder, names)) found = &folder;
    }
    return found;
}

}  // namespace

std::vector<FolderName> folders_to_watch(const imap::FolderList& list) {
    std::vector<FolderName> out;
    const auto add = [&out](const FolderName& name) {
        if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    };
    // Every mailbox has it, whether LIST tells or not (RFC 3501 section 5.1).
    if (const auto inbox = FolderName::from_utf8("INBOX")) add(*inbox);
    if (const auto* junk = find(list, SpecialUse::junk, k_junk_names)) add(junk->name);
    if (const auto* archive = find(list, SpecialUse::archive, k_archive_names)) add(archive->name);
    if (const auto* all = find(list, SpecialUse::all, {})) add(all->name);
    return out;
}

std::optional<FolderName> sent_folder(const imap::FolderList& list) {
    const auto* sent = find(list, SpecialUse::sent, k_sent_names);
    if (sent == nullptr) return std::nullopt;
    return sent->name;
}

}  // namespace postern::mail::courier
