#include "app/reader/reader.h"
#include "features/mail/protocol/courier_protocol.h"
#include "features/mail/protocol/mailbox.h"
#include "features/mail/protocol/reader_protocol.h"
#include "features/mail/reader/bounce_report.h"
#include "features/mail/reader/defect.h"
#include "features/mail/reader/parse_mail.h"
#include "features/mail/reader/parsed_mail.h"
#include "features/mail/reader/reader_error.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/ipc/peer.h"
#include "platform/ipc/rpc.h"
#include "platform/ipc/wire.h"
#include "platform/os/fd.h"
#include "platform/os/files.h"

#include <sys/resource.h>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::app::reader {
namespace {

using mail::MailError;
namespace parser = postern::reader;

constexpr std::size_t k_mail_bytes_max = 64U << 20U;
constexpr std::size_t k_text_bytes_when_cut = 512U << 10U;
constexpr rlim_t k_cpu_seconds_per_mail = 20;

/// From here on this process may use so much more time; beyond it the system ends it.
void grant_time() {
    struct rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) != 0) return;
    const auto spent =
        static_cast<rlim_t>(used.ru_utime.tv_sec) + static_cast<rlim_t>(used.ru_stime.tv_sec);
    const struct rlimit limit{spent + 1 + k_cpu_seconds_per_mail, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_CPU, &limit) != 0) log(LogLevel::warning, "reader_time_not_limited");
}

std::string domain_in_lower_case(std::string address) {
    const auto at = address.rfind('@');
    if (at == std::string::npos) return address;
    for (auto i = at; i < address.size(); ++i) {
        if (address[i] >= 'A' && address[i] <= 'Z') address[i] = static_cast<char>(address[i] + 32);
    }
    return address;
}

std::vector<mail::MailAddress> addresses(std::vector<parser::Mailbox> from) {
    std::vector<mail::MailAddress> out;
    out.reserve(from.size());
    for (auto& box : from) {
        out.push_back({std::move(box.name), domain_in_lower_case(std::move(box.address))});
    }
    return out;
}

mail::AttachmentInfo info_of(const parser::Attachment& attachment) {
    return {attachment.name, attachment.type, attachment.bytes.size(), attachment.content_id,
            attachment.is_inline};
}

Result<parser::ParsedMail> parse(const os::Fd& raw) {
    grant_time();
    const auto mapping = os::Mapping::of_sealed(raw.get(), k_mail_bytes_max);
    if (!mapping) {
        const bool large = mapping.error().is(os::OsError::too_large);
        return fail(large ? MailError::too_large : MailError::mail_unreadable,
                    mapping.error().detail());
    }
    auto parsed = parser::parse_mail(mapping->bytes());
    if (parsed) return parsed;
    const bool large = parsed.error().is(parser::ReaderError::mail_too_large);
    return fail(large ? MailError::too_large : MailError::mail_unreadable,
                std::string(parsed.error().code()));
}

bool fits(mail::ReadMail& read) {
    ipc::Encoder encoder;
    encoder.put(read);
    return encoder.bytes().size() <= ipc::k_frame_bytes_max;
}

void cut_text(std::string& text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U)
        --bytes_max;
    text.resize(bytes_max);
}

/// One answer is one frame: gives up what can be missed first, and says so.
Result<mail::ReadMail> fitted(mail::ReadMail read) {
    if (fits(read)) return read;
    read.html.clear();
    read.defects.emplace_back(parser::defect_name(parser::Defect::html_cut));
    if (fits(read)) return read;
    cut_text(read.text, k_text_bytes_when_cut);
    cut_text(read.new_text, k_text_bytes_when_cut);
    read.defects.emplace_back(parser::defect_name(parser::Defect::text_cut));
    if (fits(read)) return read;
    return fail(MailError::too_large, "headers and attachments");
}

async::Task<mail::ReadMail> on_parse(mail::ParseMail asked) {
    auto parsed = parse(asked.raw);
    if (!parsed) co_return fail(std::move(parsed.error()));
    mail::ReadMail read;
    read.subject = std::move(parsed->subject);
    read.from = addresses(std::move(parsed->from));
    read.to = addresses(std::move(parsed->to));
    read.cc = addresses(std::move(parsed->cc));
    read.date_ms = parsed->date;
    read.text = std::move(parsed->text);
    read.new_text = std::move(parsed->new_text);
    read.html = std::move(parsed->html);
    read.answers_invitation = parsed->answers_invitation;
    for (const auto& attachment : parsed->attachments)
        read.attachments.push_back(info_of(attachment));
    for (const auto defect : parsed->defects.list())
        read.defects.emplace_back(parser::defect_name(defect));
    co_return fitted(std::move(read));
}

async::Task<mail::BounceReport> on_parse_bounce(mail::ParseBounce asked) {
    grant_time();
    const auto mapping = os::Mapping::of_sealed(asked.raw.get(), k_mail_bytes_max);
    if (!mapping) co_return fail(MailError::mail_unreadable, mapping.error().detail());
    auto report = parser::parse_bounce(mapping->bytes());
    if (!report) co_return fail(MailError::mail_unreadable, std::string(report.error().code()));
    mail::BounceReport out;
    out.original_ids = std::move(report->original_ids);
    for (auto& one : report->recipients) {
        out.recipients.push_back({domain_in_lower_case(std::move(one.address)),
                                  domain_in_lower_case(std::move(one.original_address)),
                                  std::move(one.action), std::move(one.status),
                                  std::move(one.diagnostic)});
    }
    co_return out;
}

async::Task<mail::ExtractAttachment::Answer> on_extract(mail::ExtractAttachment asked) {
    auto parsed = parse(asked.raw);
    if (!parsed) co_return fail(std::move(parsed.error()));
    if (asked.index >= parsed->attachments.size()) co_return fail(MailError::not_found);
    const auto& attachment = parsed->attachments[asked.index];
    auto content = os::make_memory_file(attachment.bytes);
    if (!content) co_return fail(MailError::mail_unreadable, content.error().detail());
    mail::ExtractAttachment::Answer answer;
    answer.info = info_of(attachment);
    answer.content = std::move(*content);
    co_return std::move(answer);
}

}  // namespace

void serve_mails(ipc::Router& router) {
    router.on<mail::ParseMail>([](mail::ParseMail asked) { return on_parse(std::move(asked)); });
    router.on<mail::ParseBounce>(
        [](mail::ParseBounce asked) { return on_parse_bounce(std::move(asked)); });
    router.on<mail::ExtractAttachment>(
        [](mail::ExtractAttachment asked) { return on_extract(std::move(asked)); });
}

}  // namespace postern::app::reader
