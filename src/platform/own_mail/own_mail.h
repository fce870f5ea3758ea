#pragma once

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/error.h"
#include "platform/async/signal.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/own_mail/own_mail_store.h"
#include "platform/store/database.h"
#include "platform/store/value.h"

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <optional>
#include <string>

namespace postern::own_mail {

/// More wait only while the mail server is away for long; what comes then is not sent.
inline constexpr std::int64_t k_waiting_max = 10'000;
/// A letter that could not be handed over for so long is given up.
inline constexpr std::int64_t k_tried_s = 24 * 3600;

/// Plain text, to one address. Subject and text have no control characters but line ends.
struct Letter {
    static constexpr std::uint8_t k_version = 1;
    std::string to;
    std::string subject;
    std::string text;
    auto wire() { return std::tie(to, subject, text); }
};

enum class CarryError {
    refused,  ///< for good: another try would end the same
    not_now,
};

constexpr ErrorInfo describe(CarryError error) {
    switch (error) {
        case CarryError::refused: return {"mail_refused", "The mail server refused the mail."};
        case CarryError::not_now:
            return {"connection_failed", "The mail server could not be reached."};
    }
    return {"connection_failed", "The mail server could not be reached."};
}

/// The way to a mail server.
class Carrier {
public:
    virtual ~Carrier() = default;
    /// Errors: those of CarryError; others count as not_now.
    virtual async::Task<> carry(Letter letter) = 0;
};

/// A letter that is sealed and not yet in the queue. Empty where no mail is sent.
using Enclosed = std::optional<QueuedRow>;

/// The server's own mail, on its way. Letters are sealed under the installation's settings key.
///
/// Executor: front's thread. Lifetime: outlives every coroutine that it started.
class OwnMail {
public:
    struct Parts {
        store::Database& database;
        ipc::Link& keeper;
        const Clock& clock;
        Carrier* carrier = nullptr;  ///< null: this server sends no mail
    };
    OwnMail(Parts parts, const boost::asio::any_io_executor& executor);

    [[nodiscard]] bool is_set_up() const { return parts_.carrier != nullptr; }
    /// Nothing where no mail is sent. Errors: those of keeper.
    async::Task<Enclosed> enclose(Letter letter);
    /// Into the queue, in the caller's transaction; a full queue takes no more: the log says
    /// so, and the caller goes on.
    [[nodiscard]] static Result<> put(store::Transaction& tx, const Enclosed& enclosed);
    /// After that transaction.
    void wake() { signal_.set(); }

    /// Hands letters over until it is cancelled.
    async::Job run();
    /// Everything that is due now. The time at which the next one is.
    async::Task<std::optional<UnixMs>> hand_over_due();

private:
    async::Task<> carry(Bytes id, store::SealedBytes sealed);
    async::Task<> hand_over(QueuedRow row);

    Parts parts_;
    async::Signal signal_;
};

}  // namespace postern::own_mail
