#include "features/mail/courier/net_link.h"

#include "features/mail/courier/mail_link.h"
#include "features/mail/protocol/mailbox.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/net/connector.h"
#include "platform/net/stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace postern::mail::courier {
namespace {

class NetLink final : public MailLink {
public:
    NetLink(std::unique_ptr<net::Stream> stream, net::TlsOptions tls)
        : stream_(std::move(stream)), tls_(std::move(tls)) {}

    async::Task<std::size_t> read_some(std::span<std::uint8_t> into, Deadline deadline) override {
        return stream_->read_some(into, deadline);
    }
    async::Task<> write_all(WipedBytes data, Deadline deadline) override {
        const ByteView bytes(data.data(), data.size());
        auto writing = stream_->write_all(bytes, deadline);
        co_return co_await std::move(writing);
    }
    async::Task<> start_tls(Deadline deadline) override {
        // The engines refuse bytes behind the answer to STARTTLS: here, none is left unread.
        return stream_->start_tls(tls_, 0, deadline);
    }
    void interrupt() override { stream_->cancel(); }
    void close() override { stream_->close(); }
    std::string tls_version() const override { return stream_->peer().tls_version; }

private:
    std::unique_ptr<net::Stream> stream_;
    net::TlsOptions tls_;
};

}  // namespace

async::Task<std::unique_ptr<MailLink>> NetMailConnector::connect(MailHost host,
                                                                 std::string ca_pem,
                                                                 Deadline deadline) {
    net::TlsOptions tls;
    if (!ca_pem.empty()) tls.ca_pem = std::move(ca_pem);
    net::Destination to;
    to.host = std::move(host.host);
    to.port = host.port;
    to.tls = host.tls == TlsUse::implicit ? net::TlsMode::implicit : net::TlsMode::none;
    to.tls_options = tls;
    auto connecting = connector_.connect(std::move(to), deadline);
    auto stream = co_await std::move(connecting);
    if (!stream) co_return fail(std::move(stream.error()));
    std::unique_ptr<MailLink> link = std::make_unique<NetLink>(std::move(*stream), std::move(tls));
    co_return link;
}

}  // namespace postern::mail::courier
