#include "features/mail/learned_ids.h"

#include "features/mail/mail_store.h"
#include "features/mail/parts.h"
#include "features/mail/ports.h"
#include "features/mail/protocol/courier_protocol.h"
#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/log.h"
#include "foundation/base/result.h"
#include "foundation/codec/mail/message_id.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/keys/message_keys.h"
#include "platform/keys/records.h"
#include "platform/store/data_map.h"
#include "platform/store/transaction.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::mail {
namespace {

using namespace std::chrono_literals;

constexpr auto k_column = store::data_map::store::learned_ids::id.value;

Deadline keeper_deadline() {
    return Deadline::in(20s);
}

Bytes row_of(const IntegrationId& integration, const Bytes& mac) {
    auto row = crypto::row_key(integration);
    row.insert(row.end(), mac.begin(), mac.end());
    return row;
}

}  // namespace

async::Task<Bytes> LearnedIds::mac_of(WorkspaceId workspace, std::string id) {
    co_return co_await keys::compute_mac(&parts_.keeper, workspace, keys::MacPurpose::origin,
                                         to_bytes("learned:" + id), keeper_deadline());
}

async::Task<> LearnedIds::learn(const Mailbox* mailbox, MessageId message, std::string id) {
    if (id.empty() || codec::ends_in_label(id, mailbox->search_label)) co_return Result<>{};
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    auto mac = co_await mac_of(workspace, id);
    if (!mac) co_return fail(std::move(mac.error()));
    auto sealed =
        co_await keys::seal_record(&parts_.keeper, workspace, k_column, row_of(integration, *mac),
                                   to_bytes(id), keeper_deadline());
    if (!sealed) co_return fail(std::move(sealed.error()));
    const auto now = parts_.clock.now_ms();
    const auto body = [workspace, integration, message, mac = *mac, sealed = *sealed,
                       now](store::Transaction& tx) -> Result<bool> {
        POSTERN_TRY(const auto row, rows::load_message(tx, workspace, message));
        const rows::LearnedRow learned{mac, row.thread, message, sealed};
        if (auto put = rows::insert_learned(tx, workspace, integration, learned, now); !put) {
            return fail(std::move(put.error()));
        }
        POSTERN_TRY(const auto probe, rows::load_probe(tx, workspace, integration));
        return probe.looks_by_headers;
    };
    auto written = co_await parts_.database.write(body);
    if (!written) co_return fail(std::move(written.error()));
    SetWatch tell{integration, {std::move(id)}, *written};
    auto told = co_await parts_.courier.call(std::move(tell), Deadline::in(20s));
    // A watch that begins later is told of all.
    if (!told) log(LogLevel::info, "watch_not_told", {{"error", told.error()}});
    co_return Result<>{};
}

async::Task<std::vector<std::string>> LearnedIds::all(WorkspaceId workspace,
                                                      IntegrationId integration) {
    const auto body = [workspace, integration](store::Transaction& tx) {
        return rows::load_learned(tx, workspace, integration, k_watched_max);
    };
    auto rows = co_await parts_.database.read(body);
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<std::string> out;
    if (rows->empty()) co_return out;
    keys::OpenRecords ask;
    ask.workspace = workspace;
    for (auto& row : *rows) {
        ask.records.push_back(
            {k_column, row_of(integration, row.id_mac), std::move(row.sealed_id)});
    }
    auto opened = co_await parts_.keeper.call(std::move(ask), keeper_deadline());
    if (!opened) co_return fail(std::move(opened.error()));
    for (const auto& id : opened->contents)
        out.emplace_back(as_text(id));
    co_return out;
}

async::Task<std::optional<rows::MessageRow>> LearnedIds::find(const Mailbox* mailbox,
                                                              std::string id) {
    const auto workspace = mailbox->workspace;
    const auto integration = mailbox->id;
    auto mac = co_await mac_of(workspace, std::move(id));
    if (!mac) co_return fail(std::move(mac.error()));
    const auto body = [workspace, integration, mac = *mac](store::Transaction& tx) {
        return rows::find_learned(tx, workspace, integration, mac);
    };
    co_return co_await parts_.database.read(body);
}

}  // namespace postern::mail
