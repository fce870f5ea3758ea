#pragma once

#include "foundation/base/bytes.h"
#include "platform/fetch/fetch_protocol.h"
#include "platform/keys/played_keeper_test.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity::test {

/// Has the documents that a provider would have, and answers codes as it is told.
class TestCourier final : public keys::test::PlayedPeer {
public:
    explicit TestCourier(net::test::Loop& loop) : PlayedPeer(loop) {
        router_.on<fetch::FetchDocument>(
            [this](fetch::FetchDocument ask) { return document(std::move(ask)); });
        router_.on<fetch::ExchangeCode>(
            [this](fetch::ExchangeCode ask) { return exchange(std::move(ask)); });
    }

    std::map<std::string, std::string> documents;
    std::vector<std::string> fetched;
    std::vector<fetch::ExchangeCode> exchanged;
    fetch::ExchangeCode::Answer answer{.status = 400, .id_token = {}, .error = "invalid_grant"};
    std::optional<fetch::FetchError> fails;

private:
    async::Task<fetch::FetchDocument::Answer> document(fetch::FetchDocument ask) {
        fetched.push_back(ask.url);
        if (fails) co_return fail(*fails);
        const auto found = documents.find(ask.url);
        if (found == documents.end()) co_return fetch::FetchDocument::Answer{404, {}};
        co_return fetch::FetchDocument::Answer{200, to_bytes(found->second)};
    }
    async::Task<fetch::ExchangeCode::Answer> exchange(fetch::ExchangeCode ask) {
        exchanged.push_back(std::move(ask));
        if (fails) co_return fail(*fails);
        co_return answer;
    }
};

}  // namespace postern::identity::test
