#include "platform/store/postgres/sqlstate.h"

#include "platform/store/connection.h"
#include "platform/store/store_error.h"

#include <gtest/gtest.h>
#include <string_view>
#include <utility>

namespace postern::store::postgres {
namespace {

TEST(PostgresSqlstate, has_a_meaning_when_it_is_one_that_we_act_upon) {
    constexpr std::pair<std::string_view, StoreError> k_cases[] = {
        {"23505", StoreError::conflict},
        {"23503", StoreError::conflict},
        {"23P01", StoreError::conflict},
        {"40002", StoreError::conflict},
        {"23502", StoreError::row_refused},
        {"23514", StoreError::row_refused},
        {"23000", StoreError::row_refused},
        {"22021", StoreError::row_refused},
        {"22003", StoreError::row_refused},
        {"42804", StoreError::row_refused},
        {"44000", StoreError::row_refused},
        {"42601", StoreError::bad_statement},
        {"42P01", StoreError::bad_statement},
        {"42703", StoreError::bad_statement},
        {"0A000", StoreError::bad_statement},
        {"25001", StoreError::bad_statement},
        {"25P02", StoreError::bad_statement},
        {"42501", StoreError::not_permitted},
        {"40001", StoreError::overtaken},
        {"40P01", StoreError::overtaken},
        {"40000", StoreError::overtaken},
        {"40003", StoreError::outcome_unknown},
        {"53100", StoreError::disk_full},
        {"53200", StoreError::busy},
        {"53300", StoreError::unreachable},
        {"54000", StoreError::too_large},
        {"55P03", StoreError::busy},
        {"57014", StoreError::busy},
        {"57P01", StoreError::connection_lost},
        {"57P02", StoreError::connection_lost},
        {"57P05", StoreError::connection_lost},
        {"08006", StoreError::connection_lost},
        {"08P01", StoreError::connection_lost},
        {"25P03", StoreError::connection_lost},
        {"26000", StoreError::connection_lost},
        {"57P03", StoreError::unreachable},
        {"57P04", StoreError::unreachable},
        {"28P01", StoreError::login_refused},
        {"28000", StoreError::login_refused},
        {"3D000", StoreError::not_found},
        {"3F000", StoreError::not_found},
        {"XX001", StoreError::corrupt},
        {"XX002", StoreError::corrupt},
        {"XX000", StoreError::io_failed},
        {"58030", StoreError::io_failed},
        {"58P01", StoreError::io_failed},
        {"F0000", StoreError::io_failed},
        {"99999", StoreError::io_failed},
        {"", StoreError::io_failed},
    };
    for (const auto& [state, error] : k_cases)
        EXPECT_EQ(meaning_of(state, Access::write), error) << state;
}

TEST(PostgresSqlstate, tells_our_own_read_from_a_server_that_takes_no_writes) {
    EXPECT_EQ(meaning_of("25006", Access::read), StoreError::bad_statement);
    EXPECT_EQ(meaning_of("25006", Access::write), StoreError::connection_lost);
}

TEST(PostgresSqlstate, allows_another_run_only_when_nothing_can_have_been_written) {
    EXPECT_TRUE(is_transient(StoreError::overtaken));
    EXPECT_TRUE(is_transient(StoreError::connection_lost));
    for (const auto error :
         {StoreError::outcome_unknown, StoreError::unreachable, StoreError::conflict,
          StoreError::busy, StoreError::disk_full, StoreError::io_failed}) {
        EXPECT_FALSE(is_transient(error)) << describe(error).code.view();
    }
}

}  // namespace
}  // namespace postern::store::postgres
