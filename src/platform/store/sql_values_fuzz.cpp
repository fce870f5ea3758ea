// Oracle: the engine itself. Whatever a text or a blob holds, SQL of all kinds included, it comes
// back from SQLite byte for byte, and it is the only row that has it.
#include "foundation/base/check.h"
#include "foundation/base/fuzz_input.h"
#include "foundation/base/id.h"
#include "platform/store/database.h"
#include "platform/store/transaction.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace postern {
namespace {

using store::Transaction;

constexpr store::Migration k_migrations[] = {
    {1, "first", "checksum-1",
     "CREATE TABLE notes (workspace_id {blob} NOT NULL, number {int64} NOT NULL, body {blob}, "
     "label TEXT, PRIMARY KEY (workspace_id, number)) STRICT;"},
};
constexpr store::SqlText k_delete = "DELETE FROM notes";
constexpr store::SqlText k_insert =
    "INSERT INTO notes (workspace_id, number, body, label) VALUES ($1, $2, $3, $4)";
constexpr store::SqlText k_find = "SELECT body, label, number FROM notes WHERE label = $1";

std::unique_ptr<store::Database> open() {
    std::string folder = std::filesystem::temp_directory_path() / "postern-fuzz-XXXXXX";
    POSTERN_CHECK(::mkdtemp(folder.data()) != nullptr);
    static const std::string kept = folder;
    std::atexit([] { std::filesystem::remove_all(kept); });
    store::Database::Options options;
    options.file = folder + "/store.db";
    options.create = true;
    options.readers = 0;
    options.migrations = k_migrations;
    return std::move(*store::Database::open(options));
}

}  // namespace
}  // namespace postern

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace postern;
    static const auto database = open();
    FuzzInput input(data, size);
    const std::int64_t number = input.byte() - 128;
    const std::string label(input.text());
    const store::SealedBytes sealed(to_bytes(input.bytes()));
    const auto done = database->write_now([&](Transaction& transaction) -> Result<> {
        POSTERN_CHECK(transaction.execute(k_delete, {}).has_value());
        const auto made = transaction.execute(
            k_insert, {k_installation, number, sealed, store::Clear::text(label)});
        if (!made) return fail(made.error());
        const auto row = transaction.query_one(k_find, {store::Clear::text(label)});
        POSTERN_CHECK(row.has_value() && row->has_value());
        POSTERN_CHECK((*row)->sealed(0) == sealed && (*row)->clear_text(1) == label);
        POSTERN_CHECK((*row)->integer(2) == number);
        return {};
    });
    POSTERN_CHECK(done.has_value());
    return 0;
}
