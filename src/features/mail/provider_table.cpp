#include "features/mail/protocol/mailbox.h"
#include "features/mail/providers.h"

#include <array>
#include <span>
#include <string_view>

namespace postern::mail {
namespace {

using Words = std::string_view;

constexpr auto k_tls = TlsUse::implicit;
constexpr auto k_starttls = TlsUse::starttls;

// Hosts, ports and steps are those of the page in `help_url`, the provider's own. Where that is a
// file of autoconfig.thunderbird.net, hosts and ports are those of that file: Mozilla's public
// database of mail servers. Mail exchangers are those that customers' domains are told to name.

constexpr std::array<Words, 2> k_gmail_domains{"gmail.com", "googlemail.com"};
constexpr std::array<Words, 2> k_gmail_mx{"google.com", "googlemail.com"};
// Steps: support.google.com/accounts/answer/185833
constexpr std::array<Words, 4> k_gmail_steps{
    "Turn on 2-Step Verification for the Google account: without it there are no app passwords.",
    "Open myaccount.google.com/apppasswords and make an app password with the name Postern.",
    "Enter its 16 letters here as the password. The usual password does not work.",
    "In Google Workspace an administrator may have turned app passwords or IMAP off; ask them."};

constexpr std::array<Words, 2> k_microsoft365_mx{"mail.protection.outlook.com", "mx.microsoft"};
// learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/
// deprecation-of-basic-authentication-exchange-online
constexpr std::array<Words, 2> k_microsoft_steps{
    "Microsoft takes no passwords over IMAP any more, app passwords included: it wants OAuth.",
    "This version of Postern does not have OAuth for Microsoft yet."};

constexpr std::array<Words, 24> k_outlook_domains{
    "outlook.com", "hotmail.com", "live.com",        "msn.com",    "outlook.de", "outlook.fr",
    "outlook.es",  "outlook.it",  "outlook.at",      "outlook.be", "hotmail.de", "hotmail.fr",
    "hotmail.es",  "hotmail.it",  "hotmail.co.uk",   "live.de",    "live.fr",    "live.it",
    "live.nl",     "live.co.uk",  "windowslive.com", "outlook.dk", "hotmail.nl", "hotmail.be"};
constexpr std::array<Words, 1> k_outlook_mx{"olc.protection.outlook.com"};

constexpr std::array<Words, 11> k_gmx_domains{"gmx.de",   "gmx.net",  "gmx.at",   "gmx.ch",
                                              "gmx.eu",   "gmx.biz",  "gmx.org",  "gmx.info",
                                              "mein.gmx", "mail.gmx", "email.gmx"};
constexpr std::array<Words, 1> k_gmx_mx{"gmx.net"};
constexpr std::array<Words, 2> k_gmx_steps{
    "In GMX open E-Mail, Settings, POP3 & IMAP, and allow access over POP3 and IMAP.",
    "With two-factor sign-in make an application-specific password there and enter it here."};

constexpr std::array<Words, 22> k_gmx_com_domains{
    "gmx.com",   "gmx.us",     "gmx.co.uk",  "gmx.fr", "gmx.es", "gmx.it",    "gmx.pt", "gmx.ie",
    "gmx.ca",    "gmx.tm",     "gmx.cn",     "gmx.hk", "gmx.ph", "gmx.ru",    "gmx.se", "gmx.sg",
    "gmx.co.in", "gmx.com.br", "gmx.com.my", "gmx.tw", "gmx.li", "gmx.com.tr"};

constexpr std::array<Words, 1> k_web_de_domains{"web.de"};
constexpr std::array<Words, 1> k_web_de_mx{"web.de"};
constexpr std::array<Words, 3> k_web_de_steps{
    "In WEB.DE open E-Mail, Settings, POP3/IMAP, and allow access over POP3 and IMAP.",
    "If the sign-in is refused, take the part before the @ as the user name.",
    "With two-factor sign-in make an application-specific password there and enter it here."};

constexpr std::array<Words, 13> k_yahoo_domains{
    "yahoo.com",    "ymail.com",    "rocketmail.com", "myyahoo.com", "yahoo.de",
    "yahoo.fr",     "yahoo.it",     "yahoo.es",       "yahoo.co.uk", "yahoo.co.in",
    "yahoo.com.au", "yahoo.com.br", "yahoo.se"};
constexpr std::array<Words, 1> k_yahoo_mx{"am0.yahoodns.net"};
constexpr std::array<Words, 2> k_yahoo_steps{
    "In the Yahoo account open Security, Generate app password, and name it Postern.",
    "Enter that app password here. The usual password does not work."};

constexpr std::array<Words, 7> k_aol_domains{"aol.com", "aim.com",   "aol.de", "aol.fr",
                                             "aol.it",  "aol.co.uk", "aol.es"};
constexpr std::array<Words, 1> k_aol_mx{"gm0.yahoodns.net"};
constexpr std::array<Words, 2> k_aol_steps{
    "In the AOL account open Security, Generate app password, and name it Postern.",
    "Enter that app password here. The usual password does not work."};

constexpr std::array<Words, 3> k_icloud_domains{"icloud.com", "me.com", "mac.com"};
constexpr std::array<Words, 1> k_icloud_mx{"mail.icloud.com"};
constexpr std::array<Words, 3> k_icloud_steps{
    "At account.apple.com open Sign-In and Security, App-Specific Passwords, and make one.",
    "Enter that password here. It needs two-factor authentication at Apple.",
    "An address of a domain of your own signs in with the iCloud address as the user name."};

constexpr std::array<Words, 3> k_fastmail_domains{"fastmail.com", "fastmail.fm",
                                                  "messagingengine.com"};
constexpr std::array<Words, 1> k_fastmail_mx{"messagingengine.com"};
constexpr std::array<Words, 2> k_fastmail_steps{
    "In Fastmail open Settings, Privacy & Security, App passwords, and make one for IMAP and SMTP.",
    "Enter that app password here. The usual password does not work."};

constexpr std::array<Words, 5> k_mail_ru_domains{"mail.ru", "inbox.ru", "list.ru", "bk.ru",
                                                 "internet.ru"};
constexpr std::array<Words, 1> k_mail_ru_mx{"mail.ru"};
constexpr std::array<Words, 2> k_mail_ru_steps{
    "In Mail.ru open Security, Passwords for external applications, and make one.",
    "Enter that password here. The usual password does not work."};

constexpr std::array<Words, 2> k_zoho_domains{"zoho.com", "zohomail.com"};
constexpr std::array<Words, 2> k_zoho_mx{"zoho.com", "zohomail.com"};
constexpr std::array<Words, 2> k_zoho_steps{
    "In Zoho Mail open Settings, Mail Accounts, and turn IMAP Access on.",
    "With two-factor sign-in make an application-specific password and enter it here."};
constexpr std::array<Words, 2> k_zoho_eu_domains{"zoho.eu", "zohomail.eu"};
constexpr std::array<Words, 2> k_zoho_eu_mx{"zoho.eu", "zohomail.eu"};
constexpr std::array<Words, 2> k_zoho_in_domains{"zoho.in", "zohomail.in"};
constexpr std::array<Words, 2> k_zoho_in_mx{"zoho.in", "zohomail.in"};
constexpr std::array<Words, 1> k_zoho_au_mx{"zoho.com.au"};

constexpr std::array<Words, 1> k_ovh_domains{"ovh.net"};
constexpr std::array<Words, 1> k_ovh_mx{"mail.ovh.net"};
constexpr std::array<Words, 4> k_ovh_steps{
    "MX Plan, Email Pro and Exchange have the same mail exchanger: the control panel says which it "
    "is. These are the servers of the MX Plan.",
    "Email Pro: connect by hand with pro?.mail.ovh.net, IMAP 993, SMTP 587 with STARTTLS.",
    "Exchange: connect by hand with ex?.mail.ovh.net, IMAP 993, SMTP 587 with STARTTLS.",
    "The number in place of the ? stands in the control panel."};

constexpr std::array<Words, 1> k_ionos_domains{"ionos.com"};
constexpr std::array<Words, 3> k_ionos_mx{"ionos.com", "ionos.co.uk", "perfora.net"};
constexpr std::array<Words, 2> k_ionos_de_domains{"ionos.de", "online.de"};
constexpr std::array<Words, 3> k_ionos_de_mx{"ionos.de", "kundenserver.de", "schlund.de"};

constexpr std::array<Words, 1> k_strato_domains{"strato.de"};
constexpr std::array<Words, 1> k_strato_mx{"rzone.de"};

constexpr std::array<Words, 1> k_gandi_domains{"gandi.net"};
constexpr std::array<Words, 1> k_gandi_mx{"mail.gandi.net"};

constexpr std::array<Words, 4> k_proton_domains{"proton.me", "protonmail.com", "protonmail.ch",
                                                "pm.me"};
constexpr std::array<Words, 1> k_proton_mx{"protonmail.ch"};
constexpr std::array<Words, 2> k_proton_steps{
    "Proton gives IMAP and SMTP through its own program Proton Mail Bridge only.",
    "Where the Bridge runs on the machine of this server, connect by hand with what it shows."};

constexpr std::array<Words, 2> k_t_online_domains{"t-online.de", "magenta.de"};
constexpr std::array<Words, 1> k_t_online_mx{"t-online.de"};
constexpr std::array<Words, 2> k_t_online_steps{
    "In the e-mail settings of Telekom make a password for e-mail programs.",
    "Enter that password here. The password of the website does not work."};

constexpr std::array<Words, 2> k_orange_domains{"orange.fr", "wanadoo.fr"};
constexpr std::array<Words, 1> k_orange_mx{"smtp-in.orange.fr"};

constexpr std::array<Words, 5> k_libero_domains{"libero.it", "iol.it", "blu.it", "inwind.it",
                                                "giallo.it"};
constexpr std::array<Words, 1> k_libero_mx{"libero.it"};

constexpr std::array<Words, 1> k_mailbox_org_domains{"mailbox.org"};
constexpr std::array<Words, 1> k_mailbox_org_mx{"mailbox.org"};
constexpr std::array<Words, 1> k_mailbox_org_steps{
    "With two-factor sign-in make an application password in mailbox.org and enter it here."};

constexpr std::array<Words, 1> k_freenet_domains{"freenet.de"};
constexpr std::array<Words, 1> k_freenet_mx{"freenet.de"};
constexpr std::array<Words, 1> k_freenet_steps{
    "In freenet Mail open Settings, POP3/IMAP/SMTP, and turn POP3, IMAP and SMTP on."};

constexpr std::array<Words, 2> k_infomaniak_domains{"ik.me", "ikmail.com"};
constexpr std::array<Words, 1> k_infomaniak_steps{
    "Enter the password of the address, or of a device, that was set in the Infomaniak Manager."};

constexpr std::array<Words, 1> k_titan_mx{"titan.email"};
constexpr std::array<Words, 1> k_titan_steps{
    "In Titan open Settings, Enable Titan on other apps, and allow other apps."};

constexpr std::array<Words, 1> k_hostinger_mx{"hostinger.com"};
constexpr std::array<Words, 1> k_privateemail_mx{"privateemail.com"};
constexpr std::array<Words, 1> k_rackspace_mx{"emailsrvr.com"};
constexpr std::array<Words, 1> k_migadu_mx{"migadu.com"};

constexpr std::array<Words, 5> k_mail_com_domains{"mail.com", "email.com", "usa.com", "post.com",
                                                  "europe.com"};
constexpr std::array<Words, 2> k_mail_com_steps{
    "IMAP and SMTP need mail.com Premium.",
    "In mail.com open Settings, POP3 & IMAP, and allow access over POP3 and IMAP."};

constexpr std::array<Words, 4> k_posteo_domains{"posteo.de", "posteo.net", "posteo.eu",
                                                "posteo.org"};
constexpr std::array<Words, 2> k_posteo_steps{
    "In Posteo open Settings, Password and security, and make an app password.",
    "Enter that app password here."};

constexpr std::array<Words, 6> k_yandex_domains{"yandex.com", "yandex.ru", "ya.ru",
                                                "yandex.by",  "yandex.kz", "yandex.ua"};
constexpr std::array<Words, 3> k_yandex_steps{
    "In Yandex Mail open Settings, Email clients, and allow IMAP with app passwords.",
    "At id.yandex.com open Security, App passwords, and make one for mail.",
    "Enter that app password here. The usual password does not work."};

constexpr std::array<Provider, 38> k_providers{{
    {"gmail",
     "Gmail",
     k_gmail_domains,
     k_gmail_mx,
     {"imap.gmail.com", 993, k_tls},
     {"smtp.gmail.com", 587, k_starttls},
     SignIn::app_password,
     k_gmail_steps,
     "https://support.google.com/mail/answer/7126229"},
    {"microsoft365",
     "Microsoft 365",
     {},
     k_microsoft365_mx,
     {"outlook.office365.com", 993, k_tls},
     {"smtp.office365.com", 587, k_starttls},
     SignIn::oauth,
     k_microsoft_steps,
     "https://support.microsoft.com/office/8361e398-8af4-4e97-b147-6c6c4ac95353"},
    {"outlook",
     "Outlook.com",
     k_outlook_domains,
     k_outlook_mx,
     {"outlook.office365.com", 993, k_tls},
     {"smtp-mail.outlook.com", 587, k_starttls},
     SignIn::oauth,
     k_microsoft_steps,
     "https://support.office.com/article/d088b986-291d-42b8-9564-9c414e2aa040"},
    {"gmx",
     "GMX",
     k_gmx_domains,
     k_gmx_mx,
     {"imap.gmx.net", 993, k_tls},
     {"mail.gmx.net", 587, k_starttls},
     SignIn::password,
     k_gmx_steps,
     "https://hilfe.gmx.net/pop-imap/imap/imap-serverdaten.html"},
    {"gmx_com",
     "GMX",
     k_gmx_com_domains,
     {},
     {"imap.gmx.com", 993, k_tls},
     {"mail.gmx.com", 587, k_starttls},
     SignIn::password,
     k_gmx_steps,
     "https://support.gmx.com/pop-imap/imap/server.html"},
    {"web_de",
     "WEB.DE",
     k_web_de_domains,
     k_web_de_mx,
     {"imap.web.de", 993, k_tls},
     {"smtp.web.de", 587, k_starttls},
     SignIn::password,
     k_web_de_steps,
     "https://hilfe.web.de/pop-imap/imap/imap-serverdaten.html"},
    {"yahoo",
     "Yahoo Mail",
     k_yahoo_domains,
     k_yahoo_mx,
     {"imap.mail.yahoo.com", 993, k_tls},
     {"smtp.mail.yahoo.com", 465, k_tls},
     SignIn::app_password,
     k_yahoo_steps,
     "https://help.yahoo.com/kb/SLN4075.html"},
    {"aol",
     "AOL Mail",
     k_aol_domains,
     k_aol_mx,
     {"imap.aol.com", 993, k_tls},
     {"smtp.aol.com", 465, k_tls},
     SignIn::app_password,
     k_aol_steps,
     "https://help.aol.com/articles/"
     "how-do-i-use-other-email-applications-to-send-and-receive-my-aol-mail"},
    {"icloud",
     "iCloud Mail",
     k_icloud_domains,
     k_icloud_mx,
     {"imap.mail.me.com", 993, k_tls},
     {"smtp.mail.me.com", 587, k_starttls},
     SignIn::app_password,
     k_icloud_steps,
     "https://support.apple.com/102525"},
    {"fastmail",
     "Fastmail",
     k_fastmail_domains,
     k_fastmail_mx,
     {"imap.fastmail.com", 993, k_tls},
     {"smtp.fastmail.com", 465, k_tls},
     SignIn::app_password,
     k_fastmail_steps,
     "https://www.fastmail.com/help/technical/servernamesandports.html"},
    {"mail_ru",
     "Mail.ru",
     k_mail_ru_domains,
     k_mail_ru_mx,
     {"imap.mail.ru", 993, k_tls},
     {"smtp.mail.ru", 465, k_tls},
     SignIn::app_password,
     k_mail_ru_steps,
     "https://help.mail.ru/mail-help/mailer/mt"},
    {"zoho",
     "Zoho Mail",
     k_zoho_domains,
     {},
     {"imap.zoho.com", 993, k_tls},
     {"smtp.zoho.com", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_eu",
     "Zoho Mail (EU)",
     k_zoho_eu_domains,
     {},
     {"imap.zoho.eu", 993, k_tls},
     {"smtp.zoho.eu", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_in",
     "Zoho Mail (India)",
     k_zoho_in_domains,
     {},
     {"imap.zoho.in", 993, k_tls},
     {"smtp.zoho.in", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_pro",
     "Zoho Mail for organisations",
     {},
     k_zoho_mx,
     {"imappro.zoho.com", 993, k_tls},
     {"smtppro.zoho.com", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_pro_eu",
     "Zoho Mail for organisations (EU)",
     {},
     k_zoho_eu_mx,
     {"imappro.zoho.eu", 993, k_tls},
     {"smtppro.zoho.eu", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_pro_in",
     "Zoho Mail for organisations (India)",
     {},
     k_zoho_in_mx,
     {"imappro.zoho.in", 993, k_tls},
     {"smtppro.zoho.in", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"zoho_pro_au",
     "Zoho Mail for organisations (Australia)",
     {},
     k_zoho_au_mx,
     {"imappro.zoho.com.au", 993, k_tls},
     {"smtppro.zoho.com.au", 465, k_tls},
     SignIn::password,
     k_zoho_steps,
     "https://www.zoho.com/mail/help/imap-access.html"},
    {"ovh",
     "OVHcloud",
     k_ovh_domains,
     k_ovh_mx,
     {"ssl0.ovh.net", 993, k_tls},
     {"ssl0.ovh.net", 465, k_tls},
     SignIn::password,
     k_ovh_steps,
     "https://github.com/ovh/docs/tree/master/pages/web_cloud/email_and_collaborative_solutions/"
     "mx_plan"},
    {"ionos",
     "IONOS",
     k_ionos_domains,
     k_ionos_mx,
     {"imap.ionos.com", 993, k_tls},
     {"smtp.ionos.com", 587, k_starttls},
     SignIn::password,
     {},
     "https://www.ionos.com/help/email/general-topics/settings-for-your-email-programs-imap-pop3/"},
    {"ionos_de",
     "IONOS",
     k_ionos_de_domains,
     k_ionos_de_mx,
     {"imap.ionos.de", 993, k_tls},
     {"smtp.ionos.de", 465, k_tls},
     SignIn::password,
     {},
     "https://www.ionos.de/hilfe/index.php?id=2490"},
    {"strato",
     "STRATO",
     k_strato_domains,
     k_strato_mx,
     {"imap.strato.de", 993, k_tls},
     {"smtp.strato.de", 465, k_tls},
     SignIn::password,
     {},
     "https://www.strato.de/faq/mail/externes-e-mail-programm-mit-strato-e-mail-adresse-nutzen/"},
    {"gandi",
     "Gandi",
     k_gandi_domains,
     k_gandi_mx,
     {"mail.gandi.net", 993, k_tls},
     {"mail.gandi.net", 465, k_tls},
     SignIn::password,
     {},
     "https://docs.gandi.net/en/gandimail/standard_email_settings/index.html"},
    {"proton",
     "Proton Mail",
     k_proton_domains,
     k_proton_mx,
     {},
     {},
     SignIn::bridge,
     k_proton_steps,
     "https://proton.me/support/imap-smtp-and-pop3-setup"},
    {"t_online",
     "Telekom",
     k_t_online_domains,
     k_t_online_mx,
     {"secureimap.t-online.de", 993, k_tls},
     {"securesmtp.t-online.de", 465, k_tls},
     SignIn::app_password,
     k_t_online_steps,
     "https://www.telekom.de/hilfe/apps-dienste/e-mail/einstellungen/"
     "posteingang-postausgang-server"},
    {"orange",
     "Orange",
     k_orange_domains,
     k_orange_mx,
     {"imap.orange.fr", 993, k_tls},
     {"smtp.orange.fr", 465, k_tls},
     SignIn::password,
     {},
     "https://assistance.orange.fr/ordinateurs-peripheriques/installer-et-utiliser/"
     "l-utilisation-du-mail-et-du-cloud/mail-orange"},
    {"libero",
     "Libero Mail",
     k_libero_domains,
     k_libero_mx,
     {"imapmail.libero.it", 993, k_tls},
     {"smtp.libero.it", 465, k_tls},
     SignIn::password,
     {},
     "https://aiuto.libero.it/articolo/mail/"
     "parametri-di-configurazione-per-il-client-di-posta/"},
    {"mailbox_org",
     "mailbox.org",
     k_mailbox_org_domains,
     k_mailbox_org_mx,
     {"imap.mailbox.org", 993, k_tls},
     {"smtp.mailbox.org", 465, k_tls},
     SignIn::password,
     k_mailbox_org_steps,
     "https://kb.mailbox.org/de/privat/e-mail/e-mail-konfiguration/"},
    {"freenet",
     "freenet Mail",
     k_freenet_domains,
     k_freenet_mx,
     {"mx.freenet.de", 993, k_tls},
     {"mx.freenet.de", 465, k_tls},
     SignIn::password,
     k_freenet_steps,
     "https://kundenservice.freenet.de/faq/e-mail-client-mail/"
     "einstellungen-serverdaten-fuer-alle-e-mail-programme/"},
    {"infomaniak",
     "Infomaniak",
     k_infomaniak_domains,
     {},
     {"mail.infomaniak.com", 993, k_tls},
     {"mail.infomaniak.com", 465, k_tls},
     SignIn::password,
     k_infomaniak_steps,
     "https://www.infomaniak.com/en/support/faq/admin2/email-service?i=2"},
    {"titan",
     "Titan",
     {},
     k_titan_mx,
     {"imap.titan.email", 993, k_tls},
     {"smtp.titan.email", 465, k_tls},
     SignIn::password,
     k_titan_steps,
     "https://support.titan.email/hc/en-us/articles/"
     "900000215446-Configure-Titan-on-other-apps-using-IMAP-POP"},
    {"hostinger",
     "Hostinger",
     {},
     k_hostinger_mx,
     {"imap.hostinger.com", 993, k_tls},
     {"smtp.hostinger.com", 465, k_tls},
     SignIn::password,
     {},
     "https://support.hostinger.com/en/articles/"
     "1575756-how-to-get-email-account-configuration-details-for-hostinger-email"},
    {"privateemail",
     "Namecheap Private Email",
     {},
     k_privateemail_mx,
     {"mail.privateemail.com", 993, k_tls},
     {"mail.privateemail.com", 465, k_tls},
     SignIn::password,
     {},
     "https://www.namecheap.com/support/knowledgebase/article.aspx/1179/2175/"
     "general-private-email-configuration-for-mail-clients-and-mobile-devices/"},
    {"rackspace",
     "Rackspace Email",
     {},
     k_rackspace_mx,
     {"secure.emailsrvr.com", 993, k_tls},
     {"secure.emailsrvr.com", 465, k_tls},
     SignIn::password,
     {},
     "https://autoconfig.thunderbird.net/v1.1/emailsrvr.com"},
    {"migadu",
     "Migadu",
     {},
     k_migadu_mx,
     {"imap.migadu.com", 993, k_tls},
     {"smtp.migadu.com", 465, k_tls},
     SignIn::password,
     {},
     "https://www.migadu.com/guides/config/"},
    {"mail_com",
     "mail.com",
     k_mail_com_domains,
     {},
     {"imap.mail.com", 993, k_tls},
     {"smtp.mail.com", 465, k_tls},
     SignIn::password,
     k_mail_com_steps,
     "https://autoconfig.thunderbird.net/v1.1/mail.com"},
    {"posteo",
     "Posteo",
     k_posteo_domains,
     {},
     {"posteo.de", 993, k_tls},
     {"posteo.de", 465, k_tls},
     SignIn::app_password,
     k_posteo_steps,
     "https://posteo.de/hilfe/"
     "wie-richte-ich-posteo-in-einem-mailprogramm-ein-pop3-imap-und-smtp"},
    {"yandex",
     "Yandex Mail",
     k_yandex_domains,
     {},
     {"imap.yandex.com", 993, k_tls},
     {"smtp.yandex.com", 465, k_tls},
     SignIn::app_password,
     k_yandex_steps,
     "https://yandex.com/support/mail/mail-clients/others.html"},
}};

}  // namespace

std::span<const Provider> providers() {
    return k_providers;
}

}  // namespace postern::mail
