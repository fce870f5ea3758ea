#include "features/mail/reader/quoted_text.h"

#include "features/mail/reader/utf8_text.h"

#include <gtest/gtest.h>
#include <cstddef>
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

const fs::path k_folder = fs::path(POSTERN_SOURCE_DIR) / "../shared/data/quoted-replies";

struct Row {
    std::string_view file;
    std::string_view new_end;       ///< how the new text ends
    std::string_view quoted_begin;  ///< how the history begins; empty = nothing is folded
};

constexpr std::string_view k_lorem = "odio id arcu varius aliquet nec nec nibh.";

const std::vector<Row> k_rows{
    {"correct_sig.txt", "rick", ""},
    {"email_1.txt", "/mailman/listinfo/riak-users_lists.basho.com", ""},
    {"email_10.txt", k_lorem, "De : Company Questions<mailto:questions@comp"},
    {"email_11.txt", k_lorem, "De : Company Questions<mailto:questions@comp"},
    {"email_12.txt", k_lorem, "Van: Company Questions [mailto:questions@com"},
    {"email_13.txt", k_lorem, "Da: Company Questions<mailto:questions@compa"},
    {"email_14.txt", k_lorem, "W dniu 2017-01-09 11:59:39 użytkownik Compan"},
    {"email_16.txt", k_lorem, "Dnia 27 grudnia 2016 12:08 Company Questions"},
    {"email_17.txt", k_lorem, "W dniu 2017-01-09 11:59:39 użytkownik Compan"},
    {"email_18.txt", k_lorem, "From: John Jung <john@hellolucy.io>"},
    {"email_19.txt", "Sent from a magnificent torch of pixels",
     "On Dec 16, 2011, at 12:47 PM, Corey Donohoe"},
    {"email_2.txt", "ou’ll need to delete them all individually.\"", ">"},
    {"email_20.txt", "On Thursday.", "> On May 17, 2017, at 01:42 PM, John Doe <do"},
    {"email_21.txt", "officia deserunt mollit anim id est laborum.", ""},
    {"email_22.txt", k_lorem, "30.09.2017, 18.30, \"John - Doe\" <s.rewrre34r"},
    {"email_23.txt", k_lorem, "2017-11-24 16:32 GMT+01:00 Baptiste - Crisp"},
    {"email_24.txt", k_lorem, "On Wed, 14 Nov 2018 08:14:43 -0200 John Doe"},
    {"email_25.txt", k_lorem, "11:00 AM, November 17, 2021, \"John - Acme\" <"},
    {"email_26.txt", k_lorem, "Wednesday, 17 November 2021, 3:32 PM +0300 f"},
    {"email_2_1.txt", "Outlook with a reply", "------------------------------"},
    {"email_3.txt", "-Abhishek Kona", "On 01/03/11 7:07 PM, Russell Brown wrote:"},
    {"email_4.txt", "some! I haven't had another problem with it.",
     "On Aug 22, 2011, at 7:37 PM, defunkt<reply@r"},
    {"email_5.txt", "for a while.", ""},
    {"email_6.txt", "Sent a magnificent torch of pixels",
     "On Dec 16, 2011, at 12:47 PM, Corey Donohoe"},
    {"email_7.txt", k_lorem, "Il giovedì 8 dicembre 2016, Company Question"},
    {"email_8.txt", k_lorem, "Op 12 december 2016 19:05 schreef Company Qu"},
    {"email_9.txt", k_lorem, "===="},
    {"email_blackberry.txt", "Sent from my BlackBerry", ""},
    {"email_bullets.txt", "- and another", "On Fri, Feb 24, 2012 at 10:19 AM, <examples@"},
    {"email_custom_quote_header.txt", "Thank you!",
     "2013.02.08. 7:31 keltezéssel, \"Gyõrvári Eszt"},
    {"email_customer_quote_header_2.txt", "Thank you very much.",
     "From: somedude [mailto:test@webdomain.com]"},
    {"email_customer_quote_header_3.txt", "merci d'avance",
     "De : Someone Somewhere <someone@yahoo.fr>"},
    {"email_danish_dash_separator.txt", k_lorem, "-------- Oprindelig besked --------"},
    {"email_emoji.txt", "@pandaland", ""},
    {"email_en_multiline_2.txt", k_lorem, "On Tue, 16 Nov 2021, 12:34 pm John - Acme <j"},
    {"email_finnish.txt", k_lorem, "pe 20. lokakuuta 2017 klo 17.50 John Coe"},
    {"email_fr_multiline.txt", k_lorem, "Le lun. 15 nov. 2021 à 19:42, John - Acme <j"},
    {"email_french_2.txt", k_lorem, "> Le 29 avr. 2025 à 11:11, Chris - Crisp <ch"},
    {"email_french_dash_separator.txt", k_lorem, "-------- Message d'origine --------"},
    {"email_german.txt", k_lorem, "Am 13.12.2017 21:11 schrieb \"John Doe - Stri"},
    {"email_german_2.txt", k_lorem, "Von: John Doe <service@example.de>"},
    {"email_german_outlook.txt", k_lorem, "-----Ursprüngliche Nachricht-----"},
    {"email_gmail_split_line_from.txt", k_lorem, "On Mon, Aug 26, 2019 at 4:37 PM The Hiring E"},
    {"email_ios_outlook.txt", "Get Outlook for iOS<https://aka.ms/o0ukef>",
     "________________________________"},
    {"email_ios_outlook_fr.txt", "r de Outlook pour iOS<https://aka.ms/o0ukef>",
     "________________________________"},
    {"email_iphone.txt", "Sent from my iPhone", ""},
    {"email_italian.txt", k_lorem, "In data 11 ottobre 2017 21:11:31 \"John Doe -"},
    {"email_msn.txt", k_lorem, "________________________________"},
    {"email_multi_word_sent_from_my_mobile_device.txt", "Sent from my Verizon Wireless BlackBerry",
     ""},
    {"email_norwegian_gmail.txt", k_lorem, "tir. 18. apr. 2017 kl. 13:09 skrev Test user"},
    {"email_not_a_signature.txt", "Super Domain Name Manager", ""},
    {"email_not_a_signature_2.txt", "Thanks!", ""},
    {"email_one_is_not_on.txt", "Locally (on development), when I run...",
     "On Oct 1, 2012, at 11:55 PM, Dave Tapley wro"},
    {"email_original_message.txt", k_lorem, "-----original message-----"},
    {"email_original_message_2.txt", k_lorem, "----- Original Message -----"},
    {"email_outlook_split_line_from.txt", k_lorem, "From: Human Resources"},
    {"email_portuguese.txt", k_lorem, "Em 10 de julho de 2017 às 16:32:35, John Doe"},
    {"email_reply_header.txt", "Stranger", "On Wed, Dec 9, Mister Example"},
    {"email_russian.txt", k_lorem, "ср, 30 апр. 2025 г. в 15:19, John Doe <doe@e"},
    {"email_sent_from.txt", "rom TypeApp<http://www.typeapp.com/r?b=2621>",
     "On Jun 17, 2017, at 14:15, Valerian - Crisp"},
    {"email_sent_from_my_not_signature.txt", "y desk, is much easier then my mobile phone.", ""},
    {"email_thread.txt", "is is new email reply in thread from bellow.", "On Nov 21, 2014,"},
    {"email_tricky_10_special_chars_in_name.txt", k_lorem,
     "On Dec 15, 2024, at 3:45 PM, O'Brien, Patric"},
    {"email_tricky_11_double_signature.txt", "Sent from my iPhone", ""},
    {"email_tricky_12_no_space_after_header.txt", k_lorem,
     "On Dec 15, 2024, at 3:00 PM, John Smith <joh"},
    {"email_tricky_13_timestamp_variations.txt", "t examples in my content, not quote headers.",
     ""},
    {"email_tricky_14_long_quote_header.txt", k_lorem,
     "On Monday, December 15, 2024, at 3:45:32 PM"},
    {"email_tricky_15_original_message_variations.txt", k_lorem, "-----Original Message-----"},
    {"email_tricky_16_unicode_signatures.txt", "📱 +1 555-0123", ""},
    {"email_tricky_17_forward_header.txt", "See the forwarded message below.",
     "---------- Forwarded message ---------"},
    {"email_tricky_18_inline_reply.txt", "Option C is not suitable for our use case.", ""},
    {"email_tricky_19_quote_without_header.txt", "And my final thoughts.", ""},
    {"email_tricky_1_on_false_positive.txt", "wanted to mention that performance is great.", ""},
    {"email_tricky_20_html_entities.txt", "re that &amp; symbols are handled correctly.",
     "On Dec 15, 2024, John &quot;Johnny&quot; Smi"},
    {"email_tricky_2_url_with_wrote.txt", "John", ""},
    {"email_tricky_3_code_block.txt", "shouldn't be detected as actual signatures.", ""},
    {"email_tricky_4_from_in_body.txt", "This is the actual message content.", ""},
    {"email_tricky_5_mixed_languages.txt", k_lorem, "Le 15 janv. 2024 à 14:30, Pierre Dubois <pie"},
    {"email_tricky_6_regards_in_sentence.txt", "s the actual content that should be visible.", ""},
    {"email_tricky_7_multiple_dashes.txt", "ual signs are just separators in my content.", ""},
    {"email_tricky_8_sent_from_in_content.txt", "All messages are sent from the main server.", ""},
    {"email_tricky_9_nested_quotes.txt", "I agree with the points below.",
     "On Dec 15, 2024, at 2:00 PM, Jane Doe <jane@"},
    {"email_unquoted_reply.txt", "This is my reply.", "On Nov 26, 2013 you wrote:"},
    {"email_with_from_headers.txt", "My email is <foo@example.com>", ""},
    {"email_with_regards.txt", "CEO @ Acme !", ""},
    {"email_zoho.txt", "running a test?", "---- On Wed, 24 Feb 2021 14:02:50 +0530 john"},
    {"sig_no_empty_line.txt", "rick", ""},
};

// Here nothing says where the history begins; not folding is right.
constexpr std::size_t k_undecidable = 3;

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(QuotedText, splits_replies_of_real_clients) {
    if (!fs::exists(k_folder))
        GTEST_SKIP() << "no ../shared/data/quoted-replies beside the project";
    std::size_t good = 0;
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(k_folder))
        files += entry.is_regular_file();
    for (const Row& row : k_rows) {
        const std::string text = body_text(read_file(k_folder / row.file));
        const QuotedSplit split = split_quoted(text);
        const bool new_ok = trimmed(split.new_text).ends_with(row.new_end);
        const bool quoted_ok = row.quoted_begin.empty()
                                   ? split.quoted_text.empty()
                                   : split.quoted_text.starts_with(row.quoted_begin);
        EXPECT_TRUE(new_ok && quoted_ok)
            << row.file << "\nNEW " << split.new_text << "\nOLD " << split.quoted_text;
        good += new_ok && quoted_ok;
    }
    EXPECT_EQ(k_rows.size() + k_undecidable, files);
    RecordProperty("split_well", std::to_string(good) + " of " + std::to_string(files));
}

struct Case {
    std::string_view text;
    std::string_view fresh;
    std::string_view quoted;
};

TEST(QuotedText, splits_each_form) {
    const std::vector<Case> cases{
        {"", "", ""},
        {"only new", "only new", ""},
        {"new\n\n> old\n> older", "new", "> old\n> older"},
        {"> old\n\nnew", "> old\n\nnew", ""},
        {"On Mon, 1 Jan 2026, A <a@example.com> wrote:\n> old\n\nnew below", "new below",
         "On Mon, 1 Jan 2026, A <a@example.com> wrote:\n> old"},
        {"Yes.\n\n2026年4月7日(火) 10:00 A <a@example.com>:\n> old", "Yes.",
         "2026年4月7日(火) 10:00 A <a@example.com>:\n> old"},
        {"Ja.\n\nDen 7 apr. 2026 kl. 10:00 skrev A <a@example.com>:\n\nold", "Ja.",
         "Den 7 apr. 2026 kl. 10:00 skrev A <a@example.com>:\n\nold"},
        {"Sí.\n\nEl mar, 7 abr 2026 a las 10:00, A (<a@example.com>) escribió:\n\n> old", "Sí.",
         "El mar, 7 abr 2026 a las 10:00, A (<a@example.com>) escribió:\n\n> old"},
        {"好\n\n发件人: A <a@example.com>\n发送时间: 2026年4月7日\n收件人: B\n主题: x\n\nold", "好",
         "发件人: A <a@example.com>\n发送时间: 2026年4月7日\n收件人: B\n主题: x\n\nold"},
        {"new\n\nBegin forwarded message:\n\nold", "new", "Begin forwarded message:\n\nold"},
        {"From: me, with love\nTo: you", "From: me, with love\nTo: you", ""},
        {"On 3 May 2026 I wrote this.\nIt is new.", "On 3 May 2026 I wrote this.\nIt is new.", ""},
        {"The deadline is 12:30:\n- a\n- b", "The deadline is 12:30:\n- a\n- b", ""},
        {"> q1\n\na1\n\n> q2\n\na2", "> q1\n\na1\n\n> q2\n\na2", ""},
        {"new\n----\nstill new", "new\n----\nstill new", ""},
    };
    for (const Case& c : cases) {
        const QuotedSplit split = split_quoted(c.text);
        EXPECT_EQ(split.new_text, c.fresh) << c.text;
        EXPECT_EQ(split.quoted_text, c.quoted) << c.text;
    }
}

TEST(QuotedText, is_linear_when_text_is_built_to_cost) {
    for (const std::string_view line :
         {"On \n", "> \n", "From: \n", "1:00\n", "\n", "a 1 b\n", ">\n\n", "--\n", "From: x\n\n"}) {
        std::string text;
        while (text.size() < 60'000)
            text += line;
        const QuotedSplit split = split_quoted(text);
        EXPECT_LE(split.new_text.size() + split.quoted_text.size(), text.size());
    }
    const std::string long_line = "On 1 " + std::string(2'000'000, 'x') + " wrote:";
    EXPECT_EQ(split_quoted(long_line).new_text, long_line);
}

}  // namespace
}  // namespace postern::reader
