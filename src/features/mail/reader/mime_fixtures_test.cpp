// The mails of shared/data/mime: what a mail client would show of each. Subjects, senders and
// attachments were compared with those that Python's email package reads.
#include "features/mail/reader/html_oracle.h"
#include "features/mail/reader/parse_mail.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/sanitise_html.h"
#include "features/mail/reader/utf8_text.h"
#include "foundation/base/bytes.h"

#include <gtest/gtest.h>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace postern::reader {
namespace {

namespace fs = std::filesystem;

const fs::path k_folder = fs::path(POSTERN_SOURCE_DIR) / "../shared/data/mime";

struct Row {
    std::string_view file;
    std::string_view subject;
    std::string_view from;
    std::string_view text;  ///< some of it
    std::string_view attachments;
};

// clang-format off
const std::vector<Row> k_rows{
    {"legacy/000.eml", "Test message from Microsoft Outlook 00", "Doug Sauder<doug@example.com>",
     "", "redball.png"},
    {"legacy/001.eml",
     "Die Hasen und die Frösche (Microsoft Outlook 00)", "Doug Sauder<doug@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/002.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/003.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/006.eml", "Test message from Microsoft Outlook 00", "Doug Sauder<doug@example.com>",
     "", "blueball.png,redball.png"},
    {"legacy/007.eml",
     "Die Hasen und die Frösche (Microsoft Outlook 00)", "Doug Sauder<doug@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/008.eml", "Test message from Microsoft Outlook 00", "Doug Sauder<doug@example.com>",
     "The Hare and the Tortoise", "blueball.png,greenball.png,redball.png"},
    {"legacy/010.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/014.eml", "Test message from Microsoft Outlook 00", "Doug Sauder<doug@example.com>",
     "The Hare and the Tortoise", ""},
    {"legacy/015.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "2aa3ed95.png,2aa3edd1.png,blueball.png,greenball.png"},
    {"legacy/016.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "blueball.png,HasenundFrösche.txt"},
    {"legacy/017.eml", "The Hare and the Tortoise", "Doug Sauder<dwsauder@example.com>",
     "The Hare and the Tortoise", "greenball.png,blueball.png"},
    {"legacy/018.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "blueball.png", "blueball.png,redball.png"},
    {"legacy/020.eml",
     "Die Hasen und die Frösche (Microsoft Outlook 00)", "Doug Sauder<doug@example.com>",
     "Die Hasen und die Frösche", ""},
    {"legacy/023.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "blueball.png,farmerandstork.txt,HasenundFrösche.txt"},
    {"legacy/024.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "2aa48eb6.png,2aa48ec0.png"},
    {"legacy/026.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "HasenundFrösche.txt,farmerandstork.txt"},
    {"legacy/030.eml",
     "Test message from Netscape Communicator 4.7", "Doug Sauder<dwsauder@example.com>",
     "The Hare and the Tortoise", "blueball.png,greenball.png,hareandtoroise.txt"},
    {"legacy/031.eml", "Test message from PINE", "Doug Sauder<doug@penguin.example.com>",
     "This is a test message from PINE MUA.", "redball.png,blueball.png"},
    {"legacy/032.eml",
     "Test message from Netscape Communicator 4.7", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "greenball.png,blueball.png"},
    {"legacy/035.eml",
     "Die Hasen und die Frösche (Netscape Messenger 4.7)", "Doug Sauder<dwsauder@example.com>",
     "[blue ball]", "nsmailEG.png,nsmail39.png,redball.png,greenball.png"},
    {"legacy/037.eml",
     "Test message from Netscape Communicator 4.7", "Doug Sauder<dwsauder@example.com>",
     "", "blueball.png"},
    {"legacy/039.eml",
     "Test message from Netscape Communicator 4.7", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "nsmailV0.png,nsmailNM.png,greenball.png,blueball.png"},
    {"legacy/041.eml", "PNG graphic", "Doug Sauder<doug@penguin.example.com>",
     "", "redball.png"},
    {"legacy/045.eml", "Die Hasen und die Frösche", "Doug Sauder<doug@penguin.example.com>",
     "", "HasenundFrösche.txt"},
    {"legacy/047.eml",
     "Test message from Netscape Communicator 4.7", "Doug Sauder<dwsauder@example.com>",
     "The Hare and the Tortoise", "HasenundFrösche.txt"},
    {"legacy/049.eml", "Test message from Microsoft Outlook 00", "Doug Sauder<doug@example.com>",
     "The Hare and the Tortoise", ""},
    {"legacy/050.eml", "Die Hasen und die Frösche", "Doug Sauder<dwsauder@example.com>",
     "Die Hasen und die Frösche", "2aa658b6.png,2aa658c0.png"},
    {"malformed/002.eml", "", "",
     "body", ""},
    {"malformed/003.eml", "", "",
     "body", ""},
    {"malformed/005.eml", "", "",
     "body", ""},
    {"malformed/008.eml", "", "",
     "body2", ""},
    {"malformed/009.eml", "", "",
     "1", ""},
    {"malformed/010.eml", "", "",
     "", "attachment-1.eml"},
    {"malformed/012.eml", "", "",
     "", "attachment-1.eml,attachment-2.eml,attachment-3.eml"},
    {"malformed/014.eml", "", "",
     "hello, world", ""},
    {"malformed/015.eml", "Hello world", "Test User<test@example.org>",
     "There was a day", "signature.asc"},
    {"malformed/017.eml", "Hello world", "Test User<test@example.org>",
     "", "image001.png"},
    {"malformed/018.eml", "", "",
     "Best", ""},
    {"malformed/020.eml", "test multipart, related first, with image", "test<test@example.com>",
     "HTML Body", "attachment-1.png"},
    {"malformed/021.eml", "test multipart, related first", "test<test@example.com>",
     "áóúäöüß", "attachment-1.png"},
    {"malformed/022.eml", "broken rfc822 attachment", "<a@example.com>",
     "hello", "broken.eml"},
    {"rfc/000.eml", "A multipart example", "Nathaniel Borenstein<nsb@nsb.fv.com>",
     "... Some text appears here ...",
     "attachment-1,attachment-2.jpg,attachment-3,attachment-4.eml"},
    {"rfc/001.eml", "whatever", "Whomever<>",
     "", "BodyFormats.ps,RFC-MIME.ps,attachment-3"},
    {"rfc/002.eml",
     "[Fwd: Map of Argentina with Description]", "Al Gore<vice-president@whitehouse.gov>",
     "Fred,", "attachment-1.eml"},
    {"rfc/003.eml", "Formatted text mail", "Nathaniel Borenstein<nsb@bellcore.com>",
     "... plain text version of message goes h", "attachment-1,attachment-2"},
    {"rfc/004.eml", "Internet Digest, volume 42", "Moderator-Address<>",
     "...Introductory text or table of content", "attachment-1.eml,attachment-2.eml"},
    {"rfc/005.eml", "Sample message", "Nathaniel Borenstein<nsb@bellcore.com>",
     "This is implicitly typed plain US-ASCII ", ""},
    {"rfc/006.eml", "Multipart Email Example", "<sender@example.com>",
     "This is the fallback if email client doe", ""},
    {"rfc/007.eml", "RFC 8621 Section 4.1.4 test", "",
     "A", "attachment-1.jpg,attachment-2.jpg,attachment-3.jpg,attachment-4,attachment-5.eml"},
    {"rfc/008.eml", "", "",
     "This is a message with a base64 encoded ", "attached_email.eml"},
    {"rfc/009.eml", "whatever", "Whomever<whoever@example.com>",
     "Hello", "attachment-1.eml"},
    {"thirdparty/000.eml", "", "",
     "eh", ""},
    {"thirdparty/001.eml", "", "",
     "hello world", ""},
    {"thirdparty/002.eml", "", "",
     "päivää", ""},
    {"thirdparty/003.eml", "", "",
     "Move black king to queen's bishop", ""},
    {"thirdparty/004.eml", "", "",
     "Move black king to queen's bishop", ""},
    {"thirdparty/005.eml", "", "",
     "Test message", ""},
    {"thirdparty/006.eml", "Hide and seek", "",
     "Search me, and Find me here", "attachment-1"},
    {"thirdparty/007.eml", "", "Moderator-Address<moderator>",
     "", "attachment-1.eml,attachment-2.eml,attachment-3.eml"},
    {"thirdparty/008.eml", "", "<user@domain.org>",
     "Another part", "attachment-1,attachment-2.eml"},
    {"thirdparty/009.eml", "In parts", "",
     "Hi, this is the fancy thing I was talkin", "attachment-1"},
    {"thirdparty/010.eml", "こんにちは", "",
     "人権の無視及", ""},
    {"thirdparty/011.eml", "small image", "Dummy<dummy@xyz-webserver.abcd-gestion.local>",
     "", "01H5HSCoUeEcg6CH.png"},
    {"thirdparty/012.eml", "", "<user@domain.org>",
     "", "attachment-1,attachment-2.eml"},
    {"thirdparty/013.eml", "", "",
     "a", "attachment-1.jpg,attachment-2,attachment-3"},
    {"thirdparty/014.eml", "[Shapelib] need some help", "calpas calpas<calpas2007@yahoo.fr>",
     "Dear all,", ""},
    {"thirdparty/015.eml",
     "Re: (#5290765) Proxmox Shop E-Mails", "Jonas Sterr - ProxForge<jsterr@proxforge.de>",
     "Hallo Stoiko,", "training-mail.txt,office-reply.txt,shop-mail.txt"},
    {"thirdparty/016.eml", "25 HTML + embedded image", "<test@example.com>",
     "Search for höhö", "kigaaldcbanejcbi.png"},
    {"thirdparty/017.eml", "27 plaintext + (HTML + embedded image)", "<test@example.com>",
     "Search for hähä", "kigaaldcbanejcbi.png"},
    {"thirdparty/018.eml", "29 (HTML + embedded image) + attachment", "<test@example.com>",
     "Search for höhö", "kigaaldcbanejcbi.png,attach2.png"},
    {"thirdparty/019.eml",
     "30 plaintext + (HTML + embedded image) + attachment", "<test@example.com>",
     "Search for hähä", "kigaaldcbanejcbi.png,attach2.png"},
};
// clang-format on

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string shown(const std::vector<Mailbox>& list) {
    std::string out;
    for (const Mailbox& mailbox : list) {
        if (!out.empty()) out += ",";
        out += mailbox.name + "<" + mailbox.address + ">";
    }
    return out;
}

std::string names_of(const ParsedMail& mail) {
    std::string out;
    for (const Attachment& attachment : mail.attachments) {
        if (!out.empty()) out += ",";
        out += attachment.name;
    }
    return out;
}

bool is_plain(std::string_view text) {
    return is_valid_utf8(text) && !text.contains('\0');
}

void expect_invariants(const ParsedMail& mail) {
    for (const std::string& text : {mail.subject, mail.text, mail.html, mail.new_text,
                                    mail.quoted_text, mail.message_id, mail.list_id}) {
        EXPECT_TRUE(is_plain(text));
    }
    for (const auto& list : {mail.from, mail.sender, mail.reply_to, mail.to, mail.cc}) {
        for (const Mailbox& box : list)
            EXPECT_TRUE(is_plain(box.name) && is_plain(box.address));
    }
    for (const Attachment& attachment : mail.attachments) {
        EXPECT_EQ(safe_file_name(attachment.name), attachment.name);
        EXPECT_FALSE(attachment.name.empty());
    }
    EXPECT_EQ(HtmlOracle::fault(mail.html), "");
    SanitiseReport report;
    EXPECT_EQ(sanitise_html(mail.html, report), mail.html);
}

class MimeFixtures : public testing::Test {
protected:
    void SetUp() override {
        if (!fs::exists(k_folder)) GTEST_SKIP() << "no ../shared/data/mime beside the project";
    }
};

TEST_F(MimeFixtures, show_what_a_mail_client_shows) {
    EXPECT_GE(k_rows.size(), 40U);
    for (const Row& row : k_rows) {
        const std::string raw = read_file(k_folder / row.file);
        ASSERT_FALSE(raw.empty()) << row.file;
        const auto mail = parse_mail(as_bytes(raw));
        ASSERT_TRUE(mail) << row.file;
        EXPECT_EQ(mail->subject, row.subject) << row.file;
        EXPECT_EQ(shown(mail->from), row.from) << row.file;
        EXPECT_NE(mail->text.find(row.text), std::string::npos) << row.file << mail->text;
        EXPECT_EQ(names_of(*mail), row.attachments) << row.file;
    }
}

TEST_F(MimeFixtures, all_parse_whole_and_cut_anywhere) {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(k_folder)) {
        if (entry.path().extension() != ".eml") continue;
        ++files;
        SCOPED_TRACE(entry.path().string());
        const std::string raw = read_file(entry.path());
        const auto whole = parse_mail(as_bytes(raw));
        ASSERT_TRUE(whole);
        expect_invariants(*whole);
        for (std::size_t cut = 0; cut < raw.size(); cut += 1 + raw.size() / 16) {
            const auto part = parse_mail(as_bytes(std::string_view(raw).substr(0, cut)));
            ASSERT_TRUE(part);
            expect_invariants(*part);
        }
    }
    EXPECT_EQ(files, 107U);
}

TEST_F(MimeFixtures, survive_changed_bytes) {
    std::uint32_t state = 20'260'402;
    const auto random = [&state](std::size_t below) {
        state = state * 1'664'525U + 1'013'904'223U;
        return (state >> 8U) % below;
    };
    for (const auto& entry : fs::recursive_directory_iterator(k_folder)) {
        if (entry.path().extension() != ".eml") continue;
        std::string raw = read_file(entry.path());
        for (int round = 0; round < 8; ++round) {
            for (int i = 0; i < 20; ++i)
                raw[random(raw.size())] = static_cast<char>(random(256));
            const auto mail = parse_mail(as_bytes(raw));
            ASSERT_TRUE(mail) << entry.path();
            expect_invariants(*mail);
        }
    }
}

}  // namespace
}  // namespace postern::reader
