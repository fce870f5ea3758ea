#include "app/config/store_settings.h"  // IWYU pragma: keep

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "app/config/load.h"
#include "app/config/values.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace postern::app::config {
namespace {

TEST(StoreSettings, default_is_files_in_the_data_directory) {
    const auto loaded = load("");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.store.engine, StoreEngine::sqlite);
    EXPECT_TRUE(loaded->config.store.bulk.hosts.empty());
}

TEST(StoreSettings, two_clusters_are_read_apart) {
    const auto loaded = load(R"(
[store]
kind = "postgresql"
hosts = ["db1.example:5433", "db2.example"]
database = "outreach"
user = "front"
password_file = "/etc/postern/store.password"
ca_file = "/etc/postern/ca.pem"
[store.keyring]
hosts = ["/run/postgresql:5499"]
)");
    ASSERT_TRUE(loaded) << loaded.error().front().text;
    const auto& store = loaded->config.store;
    EXPECT_EQ(store.engine, StoreEngine::postgresql);
    ASSERT_EQ(store.bulk.hosts.size(), 2U);
    EXPECT_EQ(store.bulk.hosts[0].name, "db1.example");
    EXPECT_EQ(store.bulk.hosts[0].port, 5433);
    EXPECT_EQ(store.bulk.hosts[1].port, 5432);
    EXPECT_EQ(store.bulk.database, "outreach");
    EXPECT_EQ(store.bulk.user, "front");
    EXPECT_EQ(store.keyring.hosts.at(0).name, "/run/postgresql");
    EXPECT_EQ(store.keyring.hosts.at(0).port, 5499);
    EXPECT_EQ(store.keyring.database, "postern");
    EXPECT_TRUE(loaded->not_acted_on.empty());
}

TEST(StoreSettings, servers_may_be_named_before_the_engine_is_theirs) {
    const auto loaded = load("[store]\nhosts = ['/a']\n[store.keyring]\nhosts = ['/b']\n");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.store.engine, StoreEngine::sqlite);
    EXPECT_EQ(loaded->config.store.keyring.hosts.size(), 1U);
}

struct Rejected {
    const char* toml;
    ConfigError code;
    const char* key;
    const char* word;
};

TEST(StoreSettings, what_is_unsafe_or_unclear_is_refused) {
    const Rejected cases[] = {
        {"kind = 'mysql'", ConfigError::invalid_value, "store.kind", "sqlite or postgresql"},
        {"kind = 'postgresql'", ConfigError::missing_key, "store.hosts", "must be set"},
        {"kind = 'postgresql'\nhosts = ['/a']", ConfigError::missing_key, "store.keyring.hosts",
         "must be set"},
        {"hosts = ['/a']\n[store.keyring]\nhosts = ['/a']", ConfigError::invalid_value,
         "store.keyring.hosts", "cluster of its own"},
        {"hosts = ['localhost']\n[store.keyring]\nhosts = ['127.0.0.1:5432']",
         ConfigError::invalid_value, "store.keyring.hosts", "cluster of its own"},
        {"hosts = ['a.example', '/b']\nca_file = '/c'\n[store.keyring]\nhosts = ['/b']",
         ConfigError::invalid_value, "store.keyring.hosts", "cluster of its own"},
        {"hosts = ['db.example']", ConfigError::missing_key, "store.ca_file", "certificate"},
        {"hosts = ['/a', '192.0.2.1']", ConfigError::missing_key, "store.ca_file", "certificate"},
        {"hosts = ['db.example:0']\nca_file = '/c'", ConfigError::invalid_value, "store.hosts",
         "HOST:PORT"},
        {"hosts = ['a,b']\nca_file = '/c'", ConfigError::invalid_value, "store.hosts", "HOST:PORT"},
        {"hosts = ['/a,/b']", ConfigError::invalid_value, "store.hosts", "HOST:PORT"},
        {"hosts = ['']\nca_file = '/c'", ConfigError::invalid_value, "store.hosts", "HOST:PORT"},
        {"hosts = ['host=evil user=x']\nca_file = '/c'", ConfigError::invalid_value, "store.hosts",
         "HOST:PORT"},
        {"hosts = ['/1','/2','/3','/4','/5','/6','/7','/8','/9']", ConfigError::out_of_range,
         "store.hosts", "at most 8"},
        {"password = 'inline'", ConfigError::unknown_key, "store.password", "no such setting"},
        {"password_file = 'here'", ConfigError::invalid_value, "store.password_file", "absolute"},
        {"database = 'Up'", ConfigError::invalid_value, "store.database", "lower-case"},
        {"user = '1a'", ConfigError::invalid_value, "store.user", "lower-case"},
        {"keyring_cluster = 'both'", ConfigError::invalid_value, "store.keyring_cluster",
         "apart or shared"},
    };
    for (const auto& [toml, code, key, word] : cases) {
        const auto loaded = load(std::string("[store]\n") + toml);
        ASSERT_FALSE(loaded) << toml;
        const auto& problem = loaded.error().front();
        EXPECT_EQ(problem.code, code) << toml << ": " << problem.text;
        EXPECT_EQ(problem.key, key) << toml;
        EXPECT_NE(problem.text.find(word), std::string::npos) << toml << ": " << problem.text;
    }
}

TEST(StoreSettings, one_cluster_for_both_is_taken_when_it_is_said) {
    EXPECT_TRUE(
        load("[store]\nkeyring_cluster = 'shared'\nhosts = ['/a']\n[store.keyring]\n"
             "hosts = ['/a']\n"));
}

TEST(StoreSettings, host_has_a_name_and_a_number) {
    const std::pair<const char*, DatabaseServer::Host> cases[] = {
        {"db.example", {"db.example", 5432}},
        {"10.0.0.1:6000", {"10.0.0.1", 6000}},
        {"[::1]:5433", {"::1", 5433}},
        {"[::1]", {"::1", 5432}},
        {"::1", {"::1", 5432}},
        {"/run/postgresql", {"/run/postgresql", 5432}},
        {"/tmp/a:7", {"/tmp/a", 7}},
    };
    for (const auto& [text, host] : cases) {
        const auto parsed = parse_database_host(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->name, host.name) << text;
        EXPECT_EQ(parsed->port, host.port) << text;
    }
    for (const auto* text : {"", ":5432", "a b", "a:b", "[x]:1", "[10.0.0.1]:1", "/a:99999"})
        EXPECT_FALSE(parse_database_host(text)) << text;
}

}  // namespace
}  // namespace postern::app::config
