#include "features/mail/courier/submission.h"

#include "features/mail/courier/mail_error.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/error.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/ascii.h"
#include "foundation/codec/smtp/address.h"
#include "foundation/codec/smtp/client.h"
#include "foundation/codec/smtp/outcome.h"
#include "foundation/codec/smtp/reply.h"
#include "platform/os/files.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail::courier {
namespace {

constexpr std::size_t k_text_bytes_max = 500;

SendStage to_stage(smtp::Stage stage) {
    switch (stage) {
        case smtp::Stage::connect: return SendStage::connect;
        case smtp::Stage::greeting: return SendStage::greeting;
        case smtp::Stage::ehlo: return SendStage::ehlo;
        case smtp::Stage::starttls: return SendStage::starttls;
        case smtp::Stage::auth: return SendStage::auth;
        case smtp::Stage::mail_from: return SendStage::mail_from;
        case smtp::Stage::rcpt_to: return SendStage::rcpt_to;
        case smtp::Stage::data: return SendStage::data;
        case smtp::Stage::body: return SendStage::body;
        case smtp::Stage::final_dot: return SendStage::final_dot;
        case smtp::Stage::done: return SendStage::done;
    }
    return SendStage::connect;
}

std::string code_of(const Error& error) {
    return std::string(describe(mail_error_of(error)).code.view());
}

std::string enhanced_text(const smtp::Reply& reply) {
    if (!reply.enhanced) return {};
    return std::to_string(reply.enhanced->status_class) + "." +
           std::to_string(reply.enhanced->subject) + "." + std::to_string(reply.enhanced->detail);
}

bool is_8bit(std::uint8_t byte) {
    return byte >= 0x80;
}

std::string_view header_of(ByteView mail) {
    const auto text = as_text(mail);
    return text.substr(0, text.find("\r\n\r\n"));
}

}  // namespace

SendMail::Answer broken(SendStage stage, const Error& error) {
    SendMail::Answer answer;
    answer.stage = stage;
    answer.error_code = code_of(error);
    return answer;
}

SendMail::Answer to_answer(const smtp::Outcome& outcome,
                           const std::vector<std::string>& recipients) {
    SendMail::Answer answer;
    switch (outcome.verdict) {
        case smtp::Verdict::delivered: answer.result = SendResult::sent; break;
        case smtp::Verdict::transient:
            answer.result = SendResult::refused;
            answer.transient = true;
            break;
        case smtp::Verdict::permanent: answer.result = SendResult::refused; break;
        case smtp::Verdict::broken: answer.result = SendResult::broken; break;
        case smtp::Verdict::unknown: answer.result = SendResult::unknown; break;
    }
    answer.stage = to_stage(outcome.stage);
    answer.code = static_cast<std::uint16_t>(outcome.reply.code);
    answer.enhanced = enhanced_text(outcome.reply);
    answer.text = codec::clean_text(outcome.reply.text, k_text_bytes_max);
    if (outcome.error) answer.error_code = code_of(*outcome.error);
    for (const auto& refused : outcome.refused) {
        if (refused.index >= recipients.size()) continue;
        answer.refused.push_back(
            {recipients[refused.index], static_cast<std::uint16_t>(refused.reply.code)});
    }
    return answer;
}

Result<smtp::Envelope> envelope_of(const std::string& sender,
                                   const std::vector<std::string>& recipients,
                                   ByteView mail) {
    POSTERN_TRY(auto from, smtp::Address::parse(sender));
    smtp::Envelope envelope{.from = std::move(from),
                            .recipients = {},
                            .mail_bytes = mail.size(),
                            .has_8bit = std::ranges::any_of(mail, is_8bit),
                            .needs_smtputf8 = false,
                            .all_recipients_or_none = true};
    envelope.needs_smtputf8 = std::ranges::any_of(as_bytes(header_of(mail)), is_8bit);
    for (const auto& recipient : recipients) {
        POSTERN_TRY(auto address, smtp::Address::parse(recipient));
        envelope.recipients.push_back(std::move(address));
    }
    return envelope;
}

smtp::MailSource source_of(MappedMail mail) {
    return [mail = std::move(mail),
            at = std::size_t{0}](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
        const auto rest = mail->bytes().subspan(at);
        const auto count = std::min(rest.size(), into.size());
        std::copy_n(rest.begin(), count, into.begin());
        at += count;
        return count;
    };
}

}  // namespace postern::mail::courier
