#include "features/mail/courier/known_folders.h"

#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/results.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace postern::mail::courier {
namespace {

using imap::Folder;
using imap::FolderName;
using imap::SpecialUse;

struct Listed {
    std::string name;
    std::vector<SpecialUse> uses;
    bool selectable = true;
};

imap::FolderList list_of(const std::vector<Listed>& rows, char delimiter = '/') {
    imap::FolderList list;
    for (const auto& row : rows) {
        list.folders.push_back(Folder{.name = *FolderName::from_utf8(row.name),
                                      .delimiter = delimiter,
                                      .selectable = row.selectable,
                                      .special_uses = row.uses});
    }
    return list;
}
std::string watched(const imap::FolderList& list) {
    std::string out;
    for (const auto& name : folders_to_watch(list))
        out += name.utf8() + ";";
    return out;
}
std::string sent(const imap::FolderList& list) {
    const auto name = sent_folder(list);
    return name ? name->utf8() : "";
}

TEST(FoldersToWatch, by_special_use_else_by_name) {
    EXPECT_EQ(watched(list_of({})), "INBOX;");
    EXPECT_EQ(watched(list_of({{"INBOX", {}}, {"Work", {}}, {"Drafts", {SpecialUse::drafts}}})),
              "INBOX;");
    EXPECT_EQ(watched(list_of({{"Junk", {}},
                               {"Unwanted", {SpecialUse::junk}},
                               {"Old", {SpecialUse::archive}},
                               {"Everything", {SpecialUse::all}}})),
              "INBOX;Unwanted;Old;Everything;");
    EXPECT_EQ(watched(list_of({{"SPAM", {}}, {"archives", {}}})), "INBOX;SPAM;archives;");
    EXPECT_EQ(watched(list_of({{"INBOX.Junk", {}}, {"INBOX.Archive", {}}}, '.')),
              "INBOX;INBOX.Junk;INBOX.Archive;");
}

TEST(FoldersToWatch, leaves_out_what_cannot_be_opened_or_is_somebodys_own) {
    EXPECT_EQ(watched(list_of({{"Junk", {SpecialUse::junk}, false}, {"Friends/Junk", {}}})),
              "INBOX;");
    EXPECT_EQ(watched(list_of({{"Both", {SpecialUse::junk, SpecialUse::archive}}})), "INBOX;Both;");
}

TEST(SentFolder, by_special_use_else_by_name) {
    EXPECT_EQ(sent(list_of({{"Sent", {}}, {"Gesendet", {SpecialUse::sent}}})), "Gesendet");
    EXPECT_EQ(sent(list_of({{"Sent Items", {}}})), "Sent Items");
    EXPECT_EQ(sent(list_of({{"INBOX.Sent", {}}}, '.')), "INBOX.Sent");
    EXPECT_EQ(sent(list_of({{"Projects/Sent", {}}, {"Sentinel", {}}})), "");
}

}  // namespace
}  // namespace postern::mail::courier
