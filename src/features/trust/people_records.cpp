#include "features/trust/people_records.h"

#include "features/trust/claim.h"
#include "features/trust/finding.h"
#include "features/trust/trust_rows.h"
#include "foundation/base/bytes.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "foundation/crypto/place.h"
#include "platform/async/task.h"
#include "platform/ipc/link.h"
#include "platform/keys/message_keys.h"
#include "platform/store/data_map.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace postern::trust {

async::Task<std::vector<Bytes>> open_people(ipc::Link* keeper,
                                            std::uint16_t column,
                                            std::vector<rows::OfPerson> sealed) {
    std::vector<Bytes> out;
    constexpr std::size_t k_batch = 500;
    for (std::size_t from = 0; from < sealed.size(); from += k_batch) {
        keys::OpenRecords ask;
        ask.workspace = k_installation;
        for (auto i = from; i < std::min(sealed.size(), from + k_batch); ++i) {
            ask.records.push_back(
                {column, crypto::row_key(sealed[i].person), std::move(sealed[i].sealed)});
        }
        const auto wanted = ask.records.size();
        auto opened = co_await keeper->call(std::move(ask), keeper_deadline());
        if (!opened) co_return fail(std::move(opened.error()));
        if (opened->contents.size() != wanted) co_return fail(TrustError::out_of_sight);
        for (auto& content : opened->contents)
            out.push_back(std::move(content));
    }
    co_return out;
}

async::Task<std::vector<std::string>> open_workspace_names(ipc::Link* keeper,
                                                           std::vector<rows::OfWorkspace> sealed) {
    std::vector<std::string> out;
    for (auto& row : sealed) {
        keys::OpenRecords ask;
        ask.workspace = row.workspace;
        ask.records.push_back({store::data_map::store::workspaces::name.value,
                               crypto::row_key(row.workspace), std::move(row.sealed)});
        auto opened = co_await keeper->call(std::move(ask), keeper_deadline());
        if (!opened) co_return fail(std::move(opened.error()));
        if (opened->contents.size() != 1) co_return fail(TrustError::out_of_sight);
        out.emplace_back(as_text(opened->contents.front()));
    }
    co_return out;
}

}  // namespace postern::trust
