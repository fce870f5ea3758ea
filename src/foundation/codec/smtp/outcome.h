#pragma once

#include "foundation/base/error.h"
#include "foundation/codec/smtp/reply.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace postern::smtp {

/// How far an exchange came. `connect`: not one byte of the server was seen.
enum class Stage {
    connect,
    greeting,
    ehlo,
    starttls,
    auth,
    mail_from,
    rcpt_to,
    data,
    body,
    final_dot,
    done,
};

enum class Verdict {
    delivered,  ///< the server took the responsibility
    transient,  ///< refused with 4xx: not delivered, worth another try
    permanent,  ///< refused with 5xx: not delivered
    broken,     ///< the connection or protocol failed before the final dot: not delivered
    unknown,    ///< the same after the final dot: may be delivered, must not be sent again
};

struct RefusedRecipient {
    std::size_t index = 0;  ///< into Envelope::recipients
    Reply reply;
};

/// How a sign-in, a STARTTLS or a mail ended, where that is more than "it worked".
struct Outcome {
    Verdict verdict = Verdict::broken;
    Stage stage = Stage::connect;
    Reply reply;                 ///< the one that decided; its text is left out for sign-ins
    std::optional<Error> error;  ///< unless delivered
    std::vector<RefusedRecipient> refused;
};

[[nodiscard]] constexpr const char* name_of(Stage stage) {
    switch (stage) {
        case Stage::connect: return "connect";
        case Stage::greeting: return "greeting";
        case Stage::ehlo: return "ehlo";
        case Stage::starttls: return "starttls";
        case Stage::auth: return "auth";
        case Stage::mail_from: return "mail_from";
        case Stage::rcpt_to: return "rcpt_to";
        case Stage::data: return "data";
        case Stage::body: return "body";
        case Stage::final_dot: return "final_dot";
        case Stage::done: return "done";
    }
    return "";
}

[[nodiscard]] constexpr const char* name_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::delivered: return "delivered";
        case Verdict::transient: return "transient";
        case Verdict::permanent: return "permanent";
        case Verdict::broken: return "broken";
        case Verdict::unknown: return "unknown";
    }
    return "";
}

}  // namespace postern::smtp
