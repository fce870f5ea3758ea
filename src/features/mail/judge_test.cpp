#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/replies.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace postern::mail {
namespace {

const std::string k_own = "maya@brand.example";
const std::vector<MailAddress> k_people{{"Lea", "lea@creators.example"},
                                        {"Bo", "bo@creators.example"}};

struct Case {
    const char* name;
    std::vector<std::string> from;
    std::vector<std::string> to;
    Verdict expected;
};

TEST(Judge, admits_only_participants_among_participants) {
    const Case cases[] = {
        {"participant", {"lea@creators.example"}, {k_own}, Verdict::admit},
        {"participant in other case", {"LEA@Creators.Example"}, {k_own}, Verdict::admit},
        {"reply to all", {"bo@creators.example"}, {k_own, "lea@creators.example"}, Verdict::admit},
        {"blind copy to us", {"lea@creators.example"}, {}, Verdict::admit},
        {"stranger", {"eve@evil.example"}, {k_own}, Verdict::hold_stranger},
        {"look-alike", {"lea@creators.example.evil.test"}, {k_own}, Verdict::hold_stranger},
        {"nobody", {}, {k_own}, Verdict::hold_stranger},
        {"unreadable author", {""}, {k_own}, Verdict::hold_stranger},
        {"two authors",
         {"lea@creators.example", "eve@evil.example"},
         {k_own},
         Verdict::hold_stranger},
        {"new recipient",
         {"lea@creators.example"},
         {k_own, "agent@agency.example"},
         Verdict::hold_new_recipient},
        {"unreadable recipient",
         {"lea@creators.example"},
         {k_own, ""},
         Verdict::hold_new_recipient},
        {"our own address", {k_own}, {"lea@creators.example"}, Verdict::refuse},
        {"our own address in other case", {"Maya@BRAND.example"}, {}, Verdict::refuse},
    };
    for (const auto& test : cases) {
        Candidate candidate;
        for (const auto& address : test.from)
            candidate.from.push_back({"", address});
        for (const auto& address : test.to)
            candidate.recipients.push_back({"", address});
        EXPECT_EQ(judge(candidate, {k_people, k_own, "mx.brand.example"}), test.expected)
            << test.name;
    }
}

struct ResultCase {
    const char* name;
    std::vector<Authentication> authentication;
    std::string trusted;
    Verdict expected;
};

TEST(Judge, holds_what_the_mailboxs_own_server_found_to_be_forged) {
    const std::string own = "brand.example";
    const Authentication passed{"mx.brand.example", AuthResult::pass};
    const Authentication failed{"mx.brand.example", AuthResult::fail};
    const ResultCase cases[] = {
        {"no results", {}, own, Verdict::admit},
        {"passed", {passed}, own, Verdict::admit},
        {"failed", {failed}, own, Verdict::hold_unauthenticated},
        {"a forged pass below", {failed, passed}, own, Verdict::hold_unauthenticated},
        {"another server's above",
         {{"inner.example", AuthResult::pass}, failed},
         own,
         Verdict::hold_unauthenticated},
        {"another server's between", {passed, {"evil.example"}, failed}, own, Verdict::admit},
        {"only another server's", {{"evil.example", AuthResult::fail}}, own, Verdict::admit},
        {"nobody is trusted yet", {failed}, "", Verdict::admit},
    };
    for (const auto& test : cases) {
        Candidate candidate;
        candidate.from.push_back({"", "lea@creators.example"});
        candidate.authentication = test.authentication;
        EXPECT_EQ(judge(candidate, {k_people, k_own, test.trusted}), test.expected) << test.name;
    }
}

TEST(Judge, says_first_who_it_is_not) {
    Candidate candidate;
    candidate.authentication = {{"mx", AuthResult::fail}};
    candidate.from.push_back({"", "eve@evil.example"});
    EXPECT_EQ(judge(candidate, {k_people, k_own, "mx"}), Verdict::hold_stranger);
    candidate.from = {{"", k_own}};
    EXPECT_EQ(judge(candidate, {k_people, k_own, "mx"}), Verdict::refuse);
}

TEST(Judge, never_admits_into_a_thread_without_people) {
    Candidate candidate;
    candidate.from.push_back({"", "lea@creators.example"});
    EXPECT_EQ(judge(candidate, {{}, k_own, ""}), Verdict::hold_stranger);
}

}  // namespace
}  // namespace postern::mail
