#include "features/mail/authserv.h"

#include "features/mail/protocol/courier_protocol.h"
#include "foundation/codec/mail/authentication_results.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

TEST(OrganisationOf, is_the_registrable_domain) {
    const std::pair<const char*, const char*> cases[] = {
        {"mx.google.com", "google.com"},
        {"google.com", "google.com"},
        {"dmarc.icloud.com", "icloud.com"},
        {"atlas206.free.mail.ne1.yahoo.com", "yahoo.com"},
        {"phl-mx-07.messagingengine.com", "messagingengine.com"},
        {"mx.web.de", "web.de"},
        {"mxs.mail.ru", "mail.ru"},
        {"mx3.provider.co.uk", "provider.co.uk"},
        {"provider.co.uk", "provider.co.uk"},
        {"mfsmax.docomo.ne.jp", "docomo.ne.jp"},
        {"in.mail.provider.com.au.", "provider.com.au"},
        {"co.uk", "co.uk"},
        {"mail", "mail"},
        {"192.0.2.7", "192.0.2.7"},
        {"2001:db8::7", "2001:db8::7"},
        {"", "-"},
        {"-", "-"},
        {".", "-"},
    };
    for (const auto& [server, organisation] : cases) {
        EXPECT_EQ(organisation_of(server), organisation) << server;
        EXPECT_EQ(organisation_of(organisation), organisation) << server;
    }
}

AuthResult result_of(codec::AuthVerdict verdict) {
    return verdict == codec::AuthVerdict::pass        ? AuthResult::pass
           : verdict == codec::AuthVerdict::fail      ? AuthResult::fail
           : verdict == codec::AuthVerdict::undecided ? AuthResult::undecided
                                                      : AuthResult::none;
}

std::vector<Authentication> read(const std::vector<std::string>& fields) {
    std::vector<Authentication> out;
    for (const auto& field : fields) {
        const auto one = codec::AuthenticationResults::parse(field);
        if (!one.well_formed()) continue;
        out.push_back({one.server, result_of(one.dmarc), result_of(one.dkim), result_of(one.spf)});
    }
    return out;
}

struct Provider {
    const char* name;
    const char* organisation;
    std::vector<std::string> genuine;
    std::vector<std::string> forged;
    /// The author's domain has no DMARC; what else was looked at failed.
    std::vector<std::string> bare;
};

/// The shapes of their fields, with example names.
const std::vector<Provider> k_providers = {
    {"Gmail",
     "google.com",
     {"mx.google.com;\r\n       dkim=pass header.i=@creators.example header.s=s1 header.b=abcd;\r\n"
      "       spf=pass (google.com: domain of lea@creators.example designates 192.0.2.1 as "
      "permitted sender) smtp.mailfrom=lea@creators.example;\r\n"
      "       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=creators.example"},
     {"mx.google.com;\r\n       spf=pass (google.com: domain of eve@evil.test designates "
      "203.0.113.9 as permitted sender) smtp.mailfrom=eve@evil.test;\r\n"
      "       dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=creators.example"},
     {"mx.google.com;\r\n       dkim=neutral (body hash did not verify) header.i=@creators.example "
      "header.s=s1 header.b=abcd;\r\n       spf=fail (google.com: domain of lea@creators.example "
      "does not designate 203.0.113.9 as permitted sender) smtp.mailfrom=lea@creators.example"}},
    {"iCloud",
     "icloud.com",
     {"bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"", "arc.icloud.com; arc=none",
      "dmarc.icloud.com; dmarc=pass header.from=creators.example",
      "dkim-verifier.icloud.com;\r\n\tdkim=pass (2048-bit key) header.d=creators.example "
      "header.i=@creators.example header.b=abcd",
      // A forwarder breaks SPF; DMARC stands in a field of its own.
      "spf.icloud.com; spf=fail (spf.icloud.com: domain of lea@creators.example does not "
      "designate 192.0.2.1 as permitted sender) smtp.mailfrom=lea@creators.example"},
     {"bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"", "arc.icloud.com; arc=none",
      "dmarc.icloud.com; dmarc=fail header.from=creators.example",
      "dkim-verifier.icloud.com; dkim=pass (1024-bit key) header.d=evil.test",
      "spf.icloud.com; spf=pass smtp.mailfrom=eve@evil.test"},
     {"bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"",
      "dmarc.icloud.com; dmarc=none header.from=creators.example",
      "dkim-verifier.icloud.com; dkim=none",
      "spf.icloud.com; spf=fail smtp.mailfrom=lea@creators.example"}},
    {"Yahoo",
     "yahoo.com",
     {"atlas206.free.mail.ne1.yahoo.com;\r\n dkim=pass header.i=@creators.example header.s=s1;\r\n"
      " spf=pass smtp.mailfrom=creators.example;\r\n"
      " dmarc=pass(p=REJECT) header.from=creators.example;"},
     {"atlas117.free.mail.bf1.yahoo.com;\r\n dkim=unknown;\r\n spf=none "
      "smtp.mailfrom=evil.test;\r\n dmarc=fail(p=NONE) header.from=creators.example;"},
     {"atlas117.free.mail.bf1.yahoo.com;\r\n dkim=unknown;\r\n spf=fail "
      "smtp.mailfrom=creators.example;\r\n dmarc=unknown header.from=creators.example;"}},
    {"Fastmail",
     "messagingengine.com",
     {"phl-mx-07.messagingengine.com;\r\n    x-csa=none;\r\n    x-me-sender=none;\r\n"
      "    x-ptr=pass smtp.helo=mail.creators.example",
      "phl-mx-07.messagingengine.com;\r\n    bimi=skipped (DMARC Policy is not at enforcement)",
      "phl-mx-07.messagingengine.com;\r\n    arc=none (no signatures found);\r\n"
      "    dkim=pass (2048-bit rsa key sha256) header.d=creators.example;\r\n"
      "    dmarc=pass policy.published-domain-policy=none header.from=creators.example;\r\n"
      "    iprev=pass smtp.remote-ip=192.0.2.1;\r\n    spf=pass smtp.mailfrom=creators.example"},
     {"mx3.messagingengine.com;\r\n    x-csa=none;\r\n    x-me-sender=none",
      "mx3.messagingengine.com;\r\n    arc=none (no signatures found);\r\n    dkim=none (no "
      "signatures found);\r\n    dmarc=fail policy.evaluated-disposition=none "
      "header.from=creators.example;\r\n    spf=pass smtp.mailfrom=evil.test"},
     {"mx3.messagingengine.com;\r\n    x-csa=none;\r\n    x-me-sender=none",
      "mx3.messagingengine.com;\r\n    arc=none (no signatures found)",
      "mx3.messagingengine.com;\r\n    dkim=none (no signatures found);\r\n    dmarc=none "
      "policy.published-domain-policy=none header.from=creators.example;\r\n    iprev=fail "
      "smtp.remote-ip=203.0.113.9;\r\n    spf=fail smtp.mailfrom=lea@creators.example"}},
    {"Outlook",
     "-",
     {"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=creators.example; dkim=pass (signature was "
      "verified) header.d=creators.example;dmarc=pass action=none "
      "header.from=creators.example;compauth=pass reason=100"},
     {"spf=fail (sender IP is 203.0.113.9) smtp.mailfrom=creators.example; dkim=none (message not "
      "signed) header.d=none;dmarc=fail action=none header.from=creators.example;compauth=fail "
      "reason=000"},
     {"spf=fail (sender IP is 203.0.113.9) smtp.mailfrom=creators.example; dkim=none (message not "
      "signed) header.d=none;dmarc=none action=none header.from=creators.example;compauth=fail "
      "reason=001"}},
    // One milter for each method.
    {"Posteo",
     "posteo.de",
     {"posteo.de; dmarc=pass (p=none dis=none) header.from=creators.example",
      "posteo.de; spf=fail smtp.mailfrom=creators.example",
      "posteo.de;\r\n\tdkim=pass (2048-bit key) header.d=creators.example "
      "header.i=@creators.example header.b=abcd;\r\n\tdkim-atps=neutral"},
     {"posteo.de; dmarc=fail (p=none dis=none) header.from=creators.example",
      "posteo.de; spf=pass smtp.mailfrom=evil.test"},
     {"posteo.de; dmarc=none (p=none dis=none) header.from=creators.example",
      "posteo.de; spf=fail smtp.mailfrom=creators.example",
      "posteo.de; dkim=fail header.d=creators.example"}},
};

TEST(IsForged, is_told_by_what_real_providers_write) {
    for (const auto& provider : k_providers) {
        const auto genuine = read(provider.genuine);
        const auto forged = read(provider.forged);
        ASSERT_FALSE(genuine.empty() || forged.empty()) << provider.name;
        EXPECT_EQ(organisation_of(genuine.front().server), provider.organisation);
        EXPECT_EQ(organisation_of(forged.front().server), provider.organisation);
        EXPECT_FALSE(is_forged(genuine, provider.organisation)) << provider.name;
        EXPECT_TRUE(is_forged(forged, provider.organisation)) << provider.name;
    }
}

TEST(IsForged, is_not_undone_by_what_came_with_the_mail) {
    for (const auto& provider : k_providers) {
        auto fields = provider.forged;
        fields.insert(fields.end(), provider.genuine.begin(), provider.genuine.end());
        fields.push_back("evil.test; dmarc=pass; dkim=pass; spf=pass");
        EXPECT_TRUE(is_forged(read(fields), provider.organisation)) << provider.name;
    }
}

/// What a sender writes below, in the provider's own name.
const char* const k_claims[] = {"dmarc=pass header.from=creators.example", "dkim=pass", "spf=pass",
                                "dkim=pass; spf=pass; dmarc=pass"};

TEST(IsForged, is_not_undone_in_the_providers_own_name) {
    for (const auto& provider : k_providers) {
        ASSERT_TRUE(is_forged(read(provider.bare), provider.organisation)) << provider.name;
        const bool is_nameless = provider.organisation == k_nameless_authserv;
        const auto name =
            is_nameless ? std::string() : std::string("mx.") + provider.organisation + "; ";
        for (const auto* const claim : k_claims) {
            for (auto fields : {provider.bare, provider.forged}) {
                fields.push_back(name + claim);
                EXPECT_TRUE(is_forged(read(fields), provider.organisation))
                    << provider.name << ": " << claim;
            }
        }
    }
}

TEST(IsForged, is_told_by_a_failed_dmarc_wherever_it_stands) {
    for (const auto& provider : k_providers) {
        auto fields = provider.genuine;
        fields.push_back(provider.forged.front().starts_with("spf=")
                             ? "dmarc=fail"
                             : provider.organisation + std::string("; dmarc=fail"));
        EXPECT_TRUE(is_forged(read(fields), provider.organisation)) << provider.name;
    }
}

/// Every field there can be, of one server.
std::vector<Authentication> all_fields() {
    const auto all = {AuthResult::none, AuthResult::pass, AuthResult::fail, AuthResult::undecided};
    std::vector<Authentication> out;
    for (const auto dmarc : all)
        for (const auto dkim : all)
            for (const auto spf : all)
                out.push_back({"x", dmarc, dkim, spf});
    return out;
}

TEST(IsForged, becomes_only_worse_by_what_is_below_a_field_of_several_methods) {
    const auto fields = all_fields();
    std::size_t forged = 0;
    for (const auto& above : fields) {
        for (const auto& top : fields) {
            const bool is_forged_so_far = is_forged({above, top}, "x");
            const bool has_several = (top.dmarc != AuthResult::none) +
                                         (top.dkim != AuthResult::none) +
                                         (top.spf != AuthResult::none) >
                                     1;
            if (!is_forged_so_far || !has_several) continue;
            ++forged;
            const bool still = std::ranges::all_of(fields, [&](const Authentication& below) {
                return is_forged({above, top, below}, "x");
            });
            EXPECT_TRUE(still);
        }
    }
    EXPECT_GT(forged, 1000U);
}

TEST(IsForged, keeps_to_the_topmost_that_speaks_of_a_method) {
    const auto found = [](const std::vector<std::string>& fields) {
        return is_forged(read(fields), "own.example");
    };
    // DMARC was looked at; what is said of it below is somebody else's.
    EXPECT_TRUE(found({"own.example; dmarc=none", "own.example; spf=fail",
                       "own.example; dmarc=pass header.from=creators.example"}));
    EXPECT_TRUE(found({"own.example; spf=fail; dkim=none", "own.example; dmarc=pass"}));
    // Fields of other methods are nobody's last word.
    EXPECT_FALSE(found({"own.example; arc=none; bimi=none", "own.example; spf=fail; dkim=pass"}));
}

TEST(IsForged, does_not_count_what_others_found) {
    for (const auto& provider : k_providers)
        EXPECT_FALSE(is_forged(read(provider.forged), "other.example")) << provider.name;
    EXPECT_FALSE(is_forged({}, "other.example"));
    // Not theirs: something else stands between.
    const auto fields =
        read({"mx.own.example; dmarc=pass", "evil.test; dmarc=pass", "mx.own.example; dmarc=fail"});
    EXPECT_FALSE(is_forged(fields, "own.example"));
}

TEST(IsForged, goes_by_dkim_and_spf_without_dmarc) {
    const auto found = [](const std::vector<std::string>& fields) {
        return is_forged(read(fields), "own.example");
    };
    EXPECT_TRUE(found({"mx.own.example; spf=fail; dkim=none"}));
    EXPECT_TRUE(found({"spf.own.example; spf=fail", "dkim.own.example; dkim=fail"}));
    EXPECT_FALSE(found({"spf.own.example; spf=fail", "dkim.own.example; dkim=pass"}));
    EXPECT_FALSE(found({"mx.own.example; spf=softfail"}));
    // The server's own stands above what the mail brought.
    EXPECT_TRUE(found({"mx.own.example; spf=fail; dkim=fail", "x.own.example; spf=pass"}));
}

}  // namespace
}  // namespace postern::mail
