#include "app/front/own_mail_carrier.h"

#include "features/mail/compose.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "foundation/codec/base64.h"
#include "foundation/crypto/random.h"
#include "platform/async/task.h"
#include "platform/os/files.h"
#include "platform/own_mail/own_mail.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>

namespace postern::app::front {
namespace {

constexpr std::size_t k_id_bytes = 16;
constexpr std::chrono::minutes k_carry_time{3};

std::string new_message_id(const std::string& from) {
    return codec::hex(crypto::random_bytes(k_id_bytes)) + from.substr(from.rfind('@'));
}

}  // namespace

async::Task<> OwnMailCarrier::carry(own_mail::Letter letter) {
    using own_mail::CarryError;
    mail::Draft draft;
    draft.from = {"Postern", from_};
    draft.to = {{"", letter.to}};
    draft.subject = std::move(letter.subject);
    draft.text = std::move(letter.text);
    draft.message_id = new_message_id(from_);
    draft.date_ms = clock_.now_ms();
    draft.is_automatic = true;
    auto composed = mail::compose(draft);
    wipe(draft.text.data(), draft.text.size());
    if (!composed) co_return fail(CarryError::refused);
    auto file = os::make_memory_file(as_bytes(*composed));
    wipe(composed->data(), composed->size());
    if (!file) co_return fail(CarryError::not_now);
    mail::SendOwnMail ask{std::move(letter.to), std::move(*file)};
    auto sent = co_await courier_.call(std::move(ask), Deadline::in(k_carry_time));
    if (!sent) co_return fail(std::move(sent.error()));
    if (sent->result == mail::SendResult::sent) co_return Result<>{};
    const bool is_for_good = sent->result == mail::SendResult::refused && !sent->transient;
    if (is_for_good) co_return fail(CarryError::refused);
    co_return fail(CarryError::not_now);
}

}  // namespace postern::app::front
