#include "features/identity/sealed_texts.h"

#include "foundation/base/bytes.h"
#include "foundation/base/clock.h"
#include "foundation/base/id.h"
#include "foundation/base/result.h"
#include "platform/async/task.h"
#include "platform/keys/key_error.h"
#include "platform/keys/message_keys.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace postern::identity {
namespace {

constexpr std::size_t k_at_once = 100;

}  // namespace

async::Task<std::vector<std::string>> open_texts(ipc::Link* keeper,
                                                 WorkspaceId workspace,
                                                 std::vector<keys::Record> sealed) {
    std::vector<std::string> out;
    while (out.size() < sealed.size()) {
        keys::OpenRecords ask;
        ask.workspace = workspace;
        while (ask.records.size() < k_at_once && out.size() + ask.records.size() < sealed.size())
            ask.records.push_back(std::move(sealed[out.size() + ask.records.size()]));
        const auto asked = ask.records.size();
        auto opened = co_await keeper->call(std::move(ask), Deadline::in(std::chrono::seconds(20)));
        if (!opened) co_return fail(std::move(opened.error()));
        if (opened->contents.size() != asked) co_return fail(keys::KeyError::cannot_open);
        for (const auto& content : opened->contents)
            out.emplace_back(as_text(content));
    }
    co_return out;
}

}  // namespace postern::identity
