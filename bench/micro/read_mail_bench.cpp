#include "features/mail/reader/charset.h"
#include "features/mail/reader/parse_mail.h"
#include "features/mail/reader/sanitise_html.h"

#include <benchmark/benchmark.h>
#include <string>

namespace postern::reader {
namespace {

std::string repeated(std::string_view text, std::int64_t times) {
    std::string all;
    for (std::int64_t i = 0; i < times; ++i)
        all += text;
    return all;
}

/// What a mail client writes: nested divs, styles, links, quoted text, a picture from elsewhere.
std::string html_of(std::int64_t paragraphs) {
    return "<html><head><style>p{color:red}</style></head><body><div dir=\"ltr\">" +
           repeated(
               "<p style=\"font-size:12pt\">It&rsquo;s <b>a</b> fair <a "
               "href=\"https://creators.example/x?y=1&amp;z=2\">offer</a>.</p>\n"
               "<blockquote><div>On Monday you wrote<br><img "
               "src=\"https://track.example/p.gif\" width=\"1\"></div></blockquote>\n",
               paragraphs) +
           "</div></body></html>";
}

std::string mail_of(std::int64_t paragraphs, std::int64_t attachment_lines) {
    return "From: =?utf-8?Q?L=C3=A9a?= <lea@creators.example>\r\nTo: maya@brand.example\r\n"
           "Subject: Re: Collab\r\nMIME-Version: 1.0\r\nMessage-ID: <1@creators.example>\r\n"
           "Content-Type: multipart/mixed; boundary=\"m\"\r\n\r\n--m\r\n"
           "Content-Type: multipart/alternative; boundary=\"a\"\r\n\r\n--a\r\n"
           "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n" +
           repeated("A fair offer, we think, for what you ask.\r\n", paragraphs) +
           "--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html_of(paragraphs) +
           "\r\n--a--\r\n--m\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
           "Content-Disposition: attachment; filename=\"a.pdf\"\r\n"
           "Content-Transfer-Encoding: base64\r\n\r\n" +
           repeated(std::string(76, 'Q') + "\r\n", attachment_lines) + "--m--\r\n";
}

void parse_whole_mail(benchmark::State& state) {
    warm_up();
    const auto mail = mail_of(state.range(0), state.range(1));
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_mail(as_bytes(mail)));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(mail.size()));
}

void sanitise(benchmark::State& state) {
    const auto html = html_of(state.range(0));
    for (auto _ : state) {
        SanitiseReport report;
        benchmark::DoNotOptimize(sanitise_html(html, report));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(html.size()));
}

BENCHMARK(parse_whole_mail)->Args({5, 0})->Args({50, 1000})->Args({50, 100'000});
BENCHMARK(sanitise)->Arg(5)->Arg(500);

}  // namespace
}  // namespace postern::reader
