#include "foundation/base/bytes.h"
#include "foundation/base/secret.h"
#include "foundation/codec/imap/client.h"
#include "foundation/codec/imap/folder_name.h"
#include "foundation/codec/imap/results.h"
#include "foundation/codec/imap/search_query.h"
#include "foundation/codec/imap/uid_set.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// A server's bytes, whole and cut into pieces: both runs must end alike. The first two bytes
// choose the command that is under way and the size of the pieces.

namespace postern::imap {
namespace {

std::string code_of(const auto& result) {
    return result ? "ok" : std::string(result.error().code());
}

void begin(Client& client, int choice) {
    const auto say = [&client](std::string_view text) { (void)client.receive(as_bytes(text)); };
    say("* OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN SASL-IR] hi\r\n");
    (void)client.sign_in("a", Secret::copy_of(as_bytes("b")));
    (void)client.take_output();
    say("A OK [CAPABILITY IMAP4rev1 IDLE] in\r\n");
    (void)client.examine(*FolderName::from_utf8("INBOX"));
    (void)client.take_output();
    if (choice == 0) return;
    say("* 3 EXISTS\r\nB OK in\r\n");
    // Otherwise nothing that follows is looked at.
    if (!client.take<FolderState>()) std::abort();
    const std::vector<std::string> label{"@b7.ptn"};
    if (choice == 1) (void)client.search(*SearchQuery::replies({.first_uid = 4, .needles = label}));
    if (choice == 2) (void)client.list_folders();
    if (choice == 3) {
        (void)client.fetch_headers({.uids = *UidSet::of({4, 5, 6}), .fields = {"From"}});
    }
    if (choice == 5) (void)client.idle();
    if (choice == 6) (void)client.ask_folder_state(*FolderName::from_utf8("a"));
}

std::string result_of(Client& client, int choice) {
    switch (choice) {
        case 0:
        case 6: return code_of(client.take<FolderState>());
        case 1: {
            const auto found = client.take<SearchResult>();
            return code_of(found) + std::to_string(found ? found->uids.size() : 0);
        }
        case 2: return code_of(client.take<FolderList>());
        case 3: {
            const auto batch = client.take<HeaderBatch>();
            std::string out = code_of(batch);
            for (std::size_t i = 0; batch && i < batch->mails.size(); ++i) {
                out += as_text(batch->mails[i].block);
            }
            return out;
        }
        case 4: return code_of(client.take<FetchedBody>());
        default: return code_of(client.take<Done>());
    }
}

std::string run(ByteView said, int choice, std::size_t chunk) {
    Client client({.tls = true, .allow_plaintext_sign_in = false, .limits = {}});
    begin(client, choice);
    std::string body;
    const auto sink = [&body](ByteView bytes) -> Result<> {
        body += as_text(bytes);
        return {};
    };
    if (choice == 4) (void)client.fetch_body({.uid = 4, .bytes_max = 4096, .sink = sink});
    (void)client.take_output();
    while (!said.empty()) {
        const ByteView part = said.first(std::min(chunk, said.size()));
        if (!client.receive(part)) break;
        said = said.subspan(part.size());
    }
    const int status = static_cast<int>(client.status());
    if (body.size() > 4096) std::abort();
    client.connection_lost();
    return result_of(client, choice) + '/' + std::to_string(status) + '/' +
           std::to_string(client.take_mailbox_changed()) + '/' + body;
}

}  // namespace
}  // namespace postern::imap

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 64 * 1024) return 0;
    const postern::ByteView said(data + 2, size - 2);
    const int choice = data[0] % 7;
    if (postern::imap::run(said, choice, said.size() + 1) !=
        postern::imap::run(said, choice, data[1] % 16 + 1u))
        std::abort();
    return 0;
}
