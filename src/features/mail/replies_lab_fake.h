#pragma once

#include "features/mail/mail_lab_fake.h"
#include "features/mail/replies.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail::test {

/// Another MAC, of the same form.
inline std::string altered(std::string id) {
    auto& last = id[id.find('@') - 1];
    last = last == '0' ? '4' : '0';
    return id;
}
/// Another number under the same MAC.
inline std::string other_number(std::string id) {
    const auto at = id.find(".1.");
    return id.replace(at, 3, ".2.");
}

/// Replies to one thread with Lea and Bo.
class RepliesLab : public MailLab {
protected:
    using Texts = std::vector<std::string>;

    RepliesLab() { begin(); }
    void begin() { replies = std::make_unique<Replies>(parts()); }

    Candidate reply(std::uint32_t uid) {
        Candidate candidate;
        candidate.uid = uid;
        candidate.message_id = "reply-" + std::to_string(uid) + "@creators.example";
        candidate.our_ids = {our_id(thread)};
        candidate.from = {k_lea};
        candidate.recipients = {k_maya};
        return candidate;
    }
    FolderSearched search(std::vector<Candidate> candidates, std::string in = "INBOX") {
        FolderSearched searched;
        searched.integration = integration;
        searched.folder = std::move(in);
        searched.uid_validity = 7;
        searched.first = candidates.empty() ? 1 : candidates.front().uid;
        searched.next = candidates.empty() ? 2 : candidates.back().uid + 1;
        searched.candidates = std::move(candidates);
        return searched;
    }
    Result<> take(std::vector<Candidate> candidates, std::string in = "INBOX") {
        auto searched = search(std::move(candidates), std::move(in));
        ++clock.now;
        return run(replies->folder_searched(workspace, std::move(searched)));
    }
    /// Of the only folder; 0: none.
    std::uint32_t next_uid() {
        const auto rows = cursors();
        EXPECT_LE(rows.size(), 1U);
        return rows.empty() ? 0 : rows[0].next_uid;
    }
    std::vector<rows::HeldRow> held() {
        const auto listed = read([&](store::Transaction& tx) {
            return rows::list_held(tx, Viewer(workspace, std::nullopt), {});
        });
        std::vector<rows::HeldRow> out;
        for (const auto& one : listed)
            out.push_back(one.row);
        return out;
    }
    std::vector<CreatorId> people_of(const Thread& of) {
        const auto row =
            read([&](store::Transaction& tx) { return rows::load_thread(tx, workspace, of.id); });
        std::vector<CreatorId> out;
        for (const auto& [person, wrap] : row.head.wraps)
            out.push_back(person);
        return out;
    }
    MessageBody body_of(const rows::MessageRow& row) {
        std::vector<std::pair<MessageId, StoredObject>> objects;
        objects.emplace_back(row.id, row.body);
        MessageVault vault(keeper.link);
        auto bodies = run(vault.open_bodies(workspace, std::move(objects), 1));
        EXPECT_TRUE(bodies && bodies->at(0));
        return bodies && bodies->at(0) ? std::move(*bodies->at(0)) : MessageBody{};
    }
    std::string raw_of(const rows::MessageRow& row) {
        const auto stored = database->read_now(
            [&](store::Transaction& tx) { return rows::load_raw(tx, workspace, row.id); });
        if (!stored) return "none";
        MessageVault vault(keeper.link);
        const auto raw = run(
            vault.open_raw(workspace, row.id, stored->content, stored->wrap, stored->people, 1));
        return raw ? std::string(as_text(*raw)) : "unreadable";
    }

    std::unique_ptr<Replies> replies;
    Thread thread = add_thread({k_lea, k_bo});
};

}  // namespace postern::mail::test
