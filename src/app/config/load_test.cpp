#include "app/config/load.h"

#include "app/config/config.h"
#include "app/config/config_error.h"
#include "platform/ipc/wire.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::app::config {
namespace {

Problem first_problem(const std::string& toml) {
    auto loaded = load(toml);
    if (loaded) return {ConfigError::invalid_value, "none", 0, "accepted"};
    return loaded.error().front();
}

TEST(Load, everything_has_a_default) {
    const auto loaded = load("");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.listen.size(), 2U);
    EXPECT_EQ(loaded->config.listen[0].address, "127.0.0.1");
    EXPECT_EQ(loaded->config.listen[0].port, 8080);
    EXPECT_TRUE(loaded->config.listen[1].optional);
    EXPECT_EQ(loaded->config.regions, std::vector<std::string>{"us"});
    EXPECT_TRUE(loaded->not_acted_on.empty());
}

constexpr const char* k_whole = R"(
public_url = "https://postern.example"
listen = ["localhost:8080", "192.0.2.1:8443", "[2001:db8::1]:8443"]
trusted_proxies = ["127.0.0.1/32", "fd00::/8"]
proxy_header = "forwarded"
regions = ["us", "eu-west"]
root_key = "/etc/postern/root.key"
log_level = "debug"
[tls]
certificate = "/etc/postern/cert.pem"
key = "/etc/postern/key.pem"
[metrics]
listen = "127.0.0.1:9090"
[egress]
allow_private = ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]
name_servers = ["192.0.2.53", "[2001:db8::53]:5353", "2001:db8::1", "127.0.0.1:5300"]
[smtp]
host = "mail.brand.example"
port = 465
tls = "implicit"
username = "postern"
password_file = "/etc/postern/smtp"
from = "postern@brand.example"
[mail]
poll_interval_s = 60
ehlo_name = "postern.example"
[seal]
argon2_memory_kib = 131072
argon2_passes = 4
[sign_in]
argon2_memory_kib = 19456
argon2_passes = 2
[lease]
default_s = 3600
longest_s = 86400
[[backup.site]]
name = "a"
kind = "directory"
path = "/srv/a"
region = "us"
[[backup.site]]
name = "b"
kind = "s3"
url = "https://s3.example/bucket"
region = "eu-west"
credentials_file = "/etc/postern/s3"
)";

TEST(Load, every_setting_is_read) {
    const auto loaded = load(k_whole);
    ASSERT_TRUE(loaded) << loaded.error().front().key << loaded.error().front().text;
    const auto& config = loaded->config;
    EXPECT_EQ(config.public_url, "https://postern.example");
    ASSERT_EQ(config.listen.size(), 4U);
    EXPECT_FALSE(config.listen[0].tls);
    EXPECT_TRUE(config.listen[2].tls);
    EXPECT_EQ(config.listen[3].address, "2001:db8::1");
    EXPECT_EQ(config.proxy_header, ProxyHeader::forwarded);
    EXPECT_EQ(config.allow_private.size(), 3U);
    ASSERT_EQ(config.name_servers.size(), 4U);
    EXPECT_EQ(config.name_servers[0].port, 53);
    EXPECT_EQ(config.name_servers[1].address, "2001:db8::53");
    EXPECT_EQ(config.name_servers[1].port, 5353);
    EXPECT_EQ(config.name_servers[2].address, "2001:db8::1");
    EXPECT_EQ(config.name_servers[3].port, 5300);
    EXPECT_EQ(config.tls->key_file, "/etc/postern/key.pem");
    EXPECT_EQ(config.metrics_listen.front().port, 9090);
    EXPECT_EQ(config.smtp->tls, "implicit");
    EXPECT_EQ(config.mail.poll_interval_s, 60U);
    EXPECT_EQ(config.seal.argon2_passes, 4U);
    EXPECT_EQ(config.sign_in.argon2_memory_kib, 19456U);
    EXPECT_EQ(config.sign_in.argon2_passes, 2U);
    EXPECT_EQ(config.lease.longest_s, 86400);
    ASSERT_EQ(config.backup_sites.size(), 2U);
    EXPECT_EQ(config.backup_sites[1].kind, "s3");
    EXPECT_EQ(loaded->not_acted_on, (std::vector<std::string>{"backup.site"}));
}

TEST(Load, one_pass_is_enough_with_46_mib) {
    const auto loaded = load("[sign_in]\nargon2_memory_kib = 47104\nargon2_passes = 1");
    ASSERT_TRUE(loaded) << loaded.error().front().text;
    EXPECT_EQ(loaded->config.sign_in.argon2_passes, 1U);
    EXPECT_EQ(load("")->config.sign_in.argon2_memory_kib, 65536U);
    EXPECT_EQ(load("")->config.sign_in.argon2_passes, 3U);
}

TEST(Load, audit_is_kept_for_400_days_and_anchored_where_that_is_said) {
    EXPECT_EQ(load("")->config.audit.keep_days, 400U);
    EXPECT_EQ(load("")->config.audit.anchor_file, "");
    const auto loaded = load("[audit]\nanchor_file = '/mnt/other/anchors'\nkeep_days = 30");
    ASSERT_TRUE(loaded) << loaded.error().front().text;
    EXPECT_EQ(loaded->config.audit.anchor_file, "/mnt/other/anchors");
    EXPECT_EQ(loaded->config.audit.keep_days, 30U);
    EXPECT_FALSE(loaded->config.audit.anchor_syslog);
}

TEST(Load, audit_is_anchored_at_a_log_server_where_that_is_said) {
    const auto loaded = load(
        "[audit]\nanchor_syslog = 'logs.example:6515'\n"
        "anchor_syslog_ca_file = '/etc/postern/logs.pem'\n"
        "anchor_syslog_certificate_file = '/etc/postern/ours.pem'\n"
        "anchor_syslog_key_file = '/etc/postern/ours.key'");
    ASSERT_TRUE(loaded) << loaded.error().front().text;
    const auto& server = loaded->config.audit.anchor_syslog;
    ASSERT_TRUE(server);
    EXPECT_EQ(server->host, "logs.example");
    EXPECT_EQ(server->port, 6515);
    EXPECT_EQ(server->ca_file, "/etc/postern/logs.pem");
    EXPECT_EQ(server->certificate_file, "/etc/postern/ours.pem");
    EXPECT_EQ(server->key_file, "/etc/postern/ours.key");
    for (const auto* text : {"logs.example", "192.0.2.7", "2001:db8::7", "[2001:db8::7]"}) {
        const auto bare = load("[audit]\nanchor_syslog = '" + std::string(text) + "'");
        ASSERT_TRUE(bare) << text;
        EXPECT_EQ(bare->config.audit.anchor_syslog->port, 6514) << text;
    }
    const auto v6 = load("[audit]\nanchor_syslog = '[2001:db8::7]:514'");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->config.audit.anchor_syslog->host, "2001:db8::7");
    EXPECT_EQ(v6->config.audit.anchor_syslog->port, 514);
}

TEST(Load, survives_the_way_to_a_child) {
    auto sent = load(k_whole)->config;
    ipc::Encoder encoder;
    encoder.put(sent);
    ipc::Decoder decoder(encoder.bytes(), {});
    Config got;
    ASSERT_TRUE(decoder.get(got) && decoder.finished());
    EXPECT_EQ(got.listen.size(), sent.listen.size());
    EXPECT_EQ(got.backup_sites[1].url, "https://s3.example/bucket");
    EXPECT_EQ(got.lease.default_s, 3600);
}

struct Rejected {
    const char* toml;
    ConfigError code;
    const char* key;
    std::uint32_t line;
    const char* word;
};

const std::vector<Rejected> k_rejected{
    {"public_ur = 'https://x.example'", ConfigError::unknown_key, "public_ur", 1, "public_url"},
    {"\n[egress]\nallow_privat = []", ConfigError::unknown_key, "egress.allow_privat", 3,
     "allow_private"},
    {"[egres]\nallow_private = []", ConfigError::unknown_key, "egres", 1, "egress"},
    {"region = ['us']", ConfigError::unknown_key, "region", 1, "regions"},
    {"[[backup.sit]]\nname = 'a'", ConfigError::unknown_key, "backup.sit", 1, "site"},
    {"[[backup.site]]\nname='a'\nkind='directory'\npath='/a'\nregion='us'\nreigon='us'",
     ConfigError::unknown_key, "backup.site[0].reigon", 6, "region"},
    {"xyzzy = 1", ConfigError::unknown_key, "xyzzy", 1, "no such setting"},
    {"public_url = 5", ConfigError::wrong_type, "public_url", 1, "text"},
    {"public_url = 'ftp://x'", ConfigError::invalid_value, "public_url", 1, "https://"},
    {"public_url = 'https://x/path'", ConfigError::invalid_value, "public_url", 1, "path"},
    {"public_url = 'http://x.example'", ConfigError::invalid_value, "public_url", 1, "https://"},
    {"listen = ['127.0.0.1:8080', 'localhost:8080']", ConfigError::invalid_value, "listen", 1,
     "twice"},
    {"public_url = 'https://'", ConfigError::invalid_value, "public_url", 1, "https://"},
    {"regions = 'us'", ConfigError::wrong_type, "regions", 1, "list"},
    {"regions = []", ConfigError::invalid_value, "regions", 1, "region"},
    {"regions = ['US']", ConfigError::invalid_value, "regions[0]", 1, "short name"},
    {"regions = [1]", ConfigError::wrong_type, "regions[0]", 1, "text"},
    {"trusted_proxies = ['10.0.0.1/8']", ConfigError::invalid_value, "trusted_proxies[0]", 1,
     "below its prefix"},
    {"trusted_proxies = ['localhost']", ConfigError::invalid_value, "trusted_proxies[0]", 1,
     "block"},
    {"[egress]\nallow_private = ['127.0.0.1/99']", ConfigError::invalid_value,
     "egress.allow_private[0]", 2, "prefix"},
    {"[egress]\nname_servers = ['localhost:53']", ConfigError::invalid_value,
     "egress.name_servers[0]", 2, "ADDRESS"},
    {"[egress]\nname_servers = ['192.0.2.1:0']", ConfigError::invalid_value,
     "egress.name_servers[0]", 2, "ADDRESS"},
    {"[egress]\nname_servers = ['dns.example']", ConfigError::invalid_value,
     "egress.name_servers[0]", 2, "ADDRESS"},
    {"[egress]\nname_servers = ['192.0.2.1', '']", ConfigError::invalid_value,
     "egress.name_servers[1]", 2, "ADDRESS"},
    {"[egress]\nallow_private = 'x'", ConfigError::wrong_type, "egress.allow_private", 2, "list"},
    {"egress = 5", ConfigError::wrong_type, "egress", 1, "[egress]"},
    {"egress = []", ConfigError::wrong_type, "egress", 1, "[egress]"},
    {"backup = 'x'", ConfigError::wrong_type, "backup", 1, "[backup]"},
    {"[[egress]]\nallow_private = []", ConfigError::wrong_type, "egress", 1, "[egress]"},
    {"listen = ['0.0.0.0:8080']", ConfigError::certificate_needed, "listen", 1, "certificate"},
    {"listen = ['[::]:8080']", ConfigError::certificate_needed, "listen", 1, "certificate"},
    {"listen = ['8080']", ConfigError::invalid_value, "listen", 1, "ADDRESS:PORT"},
    {"listen = []", ConfigError::invalid_value, "listen", 1, "address"},
    {"[metrics]\nlisten = '192.0.2.1:9090'", ConfigError::certificate_needed, "metrics.listen", 2,
     "certificate"},
    {"[tls]\ncertificate = '/a'", ConfigError::missing_key, "tls.key", 0, "must be set"},
    {"[tls]\ncertificate = 'a.pem'\nkey = '/k'", ConfigError::invalid_value, "tls.certificate", 2,
     "absolute"},
    {"root_key = 'root.key'", ConfigError::invalid_value, "root_key", 1, "absolute"},
    {"log_level = 'loud'", ConfigError::invalid_value, "log_level", 1, "debug"},
    {"proxy_header = 'x'", ConfigError::invalid_value, "proxy_header", 1, "forwarded"},
    {"[mail]\npoll_interval_s = 1", ConfigError::out_of_range, "mail.poll_interval_s", 2,
     "between 15"},
    {"[mail]\npoll_interval_s = 60.5", ConfigError::wrong_type, "mail.poll_interval_s", 2, "whole"},
    {"[seal]\nargon2_memory_kib = 1024", ConfigError::out_of_range, "seal.argon2_memory_kib", 2,
     "between"},
    {"[sign_in]\nargon2_memory_kib = 19455", ConfigError::out_of_range, "sign_in.argon2_memory_kib",
     2, "between"},
    {"[sign_in]\nargon2_memory_kib = 262145", ConfigError::out_of_range,
     "sign_in.argon2_memory_kib", 2, "between"},
    {"[sign_in]\nargon2_passes = 0", ConfigError::out_of_range, "sign_in.argon2_passes", 2,
     "between"},
    {"[sign_in]\nargon2_memory_kib = 47103\nargon2_passes = 1", ConfigError::out_of_range,
     "sign_in.argon2_passes", 3, "47104"},
    {"[sign_in]\nargon2_lanes = 2", ConfigError::unknown_key, "sign_in.argon2_lanes", 2,
     "no such setting"},
    {"[audit]\nkeep_days = 29", ConfigError::out_of_range, "audit.keep_days", 2, "between"},
    {"[audit]\nanchor_file = 'anchors'", ConfigError::invalid_value, "audit.anchor_file", 2, ""},
    {"[audit]\nanchor_syslog = '/run/log'", ConfigError::invalid_value, "audit.anchor_syslog", 2,
     "HOST:PORT"},
    {"[audit]\nanchor_syslog = 'logs.example:0'", ConfigError::invalid_value, "audit.anchor_syslog",
     2, "HOST:PORT"},
    {"[audit]\nanchor_syslog = 'tcp://logs.example'", ConfigError::invalid_value,
     "audit.anchor_syslog", 2, "HOST:PORT"},
    {"[audit]\nanchor_syslog_ca_file = '/ca.pem'", ConfigError::missing_key, "audit.anchor_syslog",
     0, "its files"},
    {"[audit]\nanchor_syslog = 'logs.example'\nanchor_syslog_key_file = '/key.pem'",
     ConfigError::missing_key, "audit.anchor_syslog_certificate_file", 0, "goes with"},
    {"[audit]\nanchors = '/a'", ConfigError::unknown_key, "audit.anchors", 2, "no such setting"},
    {"[lease]\ndefault_s = 86400\nlongest_s = 3600", ConfigError::out_of_range, "lease.default_s",
     2, "longer"},
    {"[smtp]\nfrom = 'p@m.example'\nport = 25", ConfigError::missing_key, "smtp.host", 0,
     "must be set"},
    {"[smtp]\nhost = 'm.example'\nfrom = 'nobody'", ConfigError::invalid_value, "smtp.from", 3,
     "mail address"},
    {"[smtp]\nhost = 'm.example'\nfrom = 'p@m.example'\nusername = 'p'", ConfigError::missing_key,
     "smtp.username", 4, "password_file"},
    {"[smtp]\nhost = 'm.example'\nfrom = 'p@m.example'\nport = 0", ConfigError::out_of_range,
     "smtp.port", 4, "between"},
    {"[smtp]\nhost = 'm.example'\nfrom = 'p@m.example'\npassword = 'inline'",
     ConfigError::unknown_key, "smtp.password", 4, "no such setting"},
    {"[[backup.site]]\nname='a'\nkind='tape'\nregion='us'", ConfigError::invalid_value,
     "backup.site[0].kind", 3, "directory"},
    {"[[backup.site]]\nname='a'\nkind='directory'\nregion='us'", ConfigError::missing_key,
     "backup.site[0].path", 0, "needs it"},
    {"[[backup.site]]\nname='a'\nkind='directory'\npath='/a'\nregion='mars'",
     ConfigError::invalid_value, "backup.site[0].region", 5, "regions"},
    {"[backup.site]\nname='a'", ConfigError::wrong_type, "backup.site", 1, "[[backup.site]]"},
    {"[egress\n", ConfigError::syntax, "", 1, ""},
    {"a = 1\na = 2", ConfigError::syntax, "", 2, ""},
    {"[=]", ConfigError::syntax, "", 0, "name"},
    {"# one\nl\xEF\xBA\x9A = 1", ConfigError::syntax, "", 2, "character"},
    {"[[{egress}]]", ConfigError::syntax, "", 0, "name"},
    {"[\x01\tegress]\nallow_private = []", ConfigError::syntax, "", 0, "name"},
};

TEST(Load, what_is_wrong_is_named_with_its_key_and_line) {
    for (const auto& rejected : k_rejected) {
        const auto problem = first_problem(rejected.toml);
        EXPECT_EQ(problem.code, rejected.code) << rejected.toml << ": " << problem.text;
        EXPECT_EQ(problem.key, rejected.key) << rejected.toml;
        EXPECT_EQ(problem.line, rejected.line) << rejected.toml;
        EXPECT_NE(problem.text.find(rejected.word), std::string::npos)
            << rejected.toml << ": " << problem.text;
    }
}

TEST(Load, all_problems_are_told_at_once) {
    const auto loaded = load("public_ur = 1\nlog_level = 'x'\nregions = 5\n");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().size(), 3U);
    EXPECT_TRUE(std::ranges::is_sorted(loaded.error(), {}, &Problem::line));
}

TEST(Load, what_is_in_an_unknown_table_is_not_told_again) {
    const auto loaded = load("[nonsense]\na = 1\nb = 2\n[nonsenses]\nc = 3\n");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().size(), 2U);
}

TEST(Load, the_command_line_stands_in_place_of_listen) {
    const auto loaded = load("listen = ['127.0.0.1:1']", {.listen = {"127.0.0.1:0", "[::1]:2"}});
    ASSERT_TRUE(loaded);
    ASSERT_EQ(loaded->config.listen.size(), 2U);
    EXPECT_EQ(loaded->config.listen[0].port, 0);
    const auto refused = load("", {.listen = {"0.0.0.0:80"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().front().key, "--listen");
}

TEST(Load, a_missing_file_is_a_problem) {
    const auto loaded = load_file("/nonexistent/postern.toml");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().front().code, ConfigError::unreadable);
}

TEST(Load, a_file_with_too_much_in_it_is_refused) {
    std::string many = "regions = [";
    for (int i = 0; i < 20'000; ++i)
        many += "'us',";
    EXPECT_EQ(first_problem(many + "]").code, ConfigError::syntax);
    std::string deep = "a = ";
    for (int i = 0; i < 100'000; ++i)
        deep += "[";
    EXPECT_EQ(first_problem(deep).code, ConfigError::syntax);
}

}  // namespace
}  // namespace postern::app::config
