#pragma once

#include "foundation/base/clock.h"
#include "platform/ipc/link.h"
#include "platform/own_mail/own_mail.h"

#include <string>
#include <utility>

namespace postern::app::front {

/// By way of courier, which alone has the account at the mail server.
class OwnMailCarrier final : public own_mail::Carrier {
public:
    /// `from`: the address that the operator named.
    OwnMailCarrier(ipc::Link& courier, const Clock& clock, std::string from)
        : courier_(courier), clock_(clock), from_(std::move(from)) {}

    async::Task<> carry(own_mail::Letter letter) override;

private:
    ipc::Link& courier_;
    const Clock& clock_;
    std::string from_;
};

}  // namespace postern::app::front
