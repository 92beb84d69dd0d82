// MIME texts, and SMTP by libcurl.
#include "net/mail.h"

#include <curl/curl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>

#include "base/base64.h"
#include "base/check.h"
#include "net/authorities.h"

namespace tailrace::net {
namespace {

constexpr std::size_t kLine = 76;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// RFC 2047 words of at most 75 bytes, none of which cuts a character in two.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t kBytes = 45;  // 60 of base64
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(kBytes, text.size());
    while (end > 1 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;
    out +=
        (out.empty() ? "" : "\r\n ") + ("=?utf-8?b?" + encode_base64(text.substr(0, end)) + "?=");
    text.remove_prefix(end);
  }
  return out;
}

/// `Name <a@b>` keeps its address as it is.
std::string address_words(const std::string& address) {
  if (is_ascii(address)) return address;
  const auto open = address.rfind('<');
  if (open == address.npos || open == 0) return encoded_words(address);
  std::string name = address.substr(0, address.find_last_not_of(' ', open - 1) + 1);
  if (name.size() > 1 && name.starts_with('"') && name.ends_with('"'))
    name = name.substr(1, name.size() - 2);
  return encoded_words(name) + " " + address.substr(open);
}

std::string addresses(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& one : all) out += (out.empty() ? "" : ", ") + address_words(one);
  return out;
}

Status check_header(std::string_view name, std::string_view value) {
  const bool is_name = !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c < 127 && c != ':';
  });
  if (!is_name || value.find_first_of(std::string_view("\r\n\0", 3)) != value.npos)
    return error(Code::kInvalidArgument,
                 fmt::format("the mail's header {} has a line end, or is no header", name));
  return {};
}

std::string base64_lines(std::string_view bytes) {
  const std::string all = encode_base64(bytes);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += kLine) out += all.substr(at, kLine) + "\r\n";
  return out;
}

std::string boundary() {
  std::random_device random;
  return fmt::format("==============={:08x}{:08x}{:08x}==", random(), random(), random());
}

/// A file's name within quotes; RFC 2231 where it is not ASCII.
std::string parameter(std::string_view name, const std::string& value) {
  if (!is_ascii(value)) {
    std::string out = fmt::format("{}*=utf-8''", name);
    for (const char c : value) {
      const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  }
  std::string out = fmt::format("{}=\"", name);
  for (const char c : value)
    out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

}  // namespace

Result<std::string> mime_text(const Mail& mail, std::int64_t seconds_since_1970) {
  const std::string mark = boundary();
  std::string out;
  const auto header = [&](std::string_view name, std::string_view value,
                          const std::string& written) -> Status {
    TRY(check_header(name, value));
    out += fmt::format("{}: {}\r\n", name, written);
    return {};
  };
  const auto plain = [&](std::string_view name, const std::string& value) {
    return header(name, value, is_ascii(value) ? value : encoded_words(value));
  };
  TRY(plain("Content-Type", fmt::format("multipart/{}; boundary=\"{}\"", mail.subtype, mark)));
  TRY(plain("MIME-Version", "1.0"));
  TRY(plain("Subject", mail.subject));
  TRY(header("From", mail.from, address_words(mail.from)));
  for (const auto* list : {&mail.to, &mail.cc}) {
    for (const auto& one : *list) TRY(check_header("To", one));
  }
  out += "To: " + addresses(mail.to) + "\r\n";
  if (!mail.cc.empty()) out += "CC: " + addresses(mail.cc) + "\r\n";
  TRY(plain("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                                fmt::gmtime(static_cast<std::time_t>(seconds_since_1970)))));
  for (const auto& [name, value] : mail.headers) TRY(plain(name, value));
  TRY(check_header("charset", mail.charset));
  const auto body = [&](std::string_view type, const std::string& text) {
    out += fmt::format(
        "\r\n--{}\r\nContent-Type: text/{}; charset=\"{}\"\r\nMIME-Version: 1.0\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n{}",
        mark, type, mail.charset, base64_lines(text));
  };
  if (!mail.text.empty()) body("plain", mail.text);
  body("html", mail.html);
  for (const auto& file : mail.files) {
    TRY(check_header("filename", file.name));
    out += "\r\n--" + mark + "\r\nContent-Type: application/octet-stream; " +
           parameter("Name", file.name) +
           "\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n"
           "Content-Disposition: attachment; " +
           parameter("filename", file.name) + "\r\nContent-ID: <" +
           (is_ascii(file.name) ? file.name : encoded_words(file.name)) + ">\r\n\r\n" +
           base64_lines(file.bytes);
  }
  return out + "\r\n--" + mark + "--\r\n";
}

namespace {

struct Upload {
  std::string_view rest;
  std::stop_token stop;
};

std::size_t on_read(char* to, std::size_t size, std::size_t count, void* user) {
  auto& upload = *static_cast<Upload*>(user);
  const std::size_t length = std::min(size * count, upload.rest.size());
  std::memcpy(to, upload.rest.data(), length);
  upload.rest.remove_prefix(length);
  return length;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Upload*>(user)->stop.stop_requested() ? 1 : 0;
}

/// Keeps the server's last refusal.
std::size_t on_line(char* data, std::size_t size, std::size_t count, void* user) {
  if (size * count == 0 || (data[0] != '4' && data[0] != '5')) return size * count;
  auto& last = *static_cast<std::string*>(user);
  last.assign(data, std::min<std::size_t>(size * count, 500));
  while (last.ends_with('\n') || last.ends_with('\r')) last.pop_back();
  return size * count;
}

/// `Name <a@b>` → `a@b`.
std::string envelope(const std::string& address) {
  const auto open = address.rfind('<'), close = address.rfind('>');
  return open != address.npos && close != address.npos && close > open
             ? address.substr(open + 1, close - open - 1)
             : address;
}

Error failure(CURLcode code, long answer, const std::string& last, const std::string& place,
              const char* detail, bool all_left) {
  if (code == CURLE_ABORTED_BY_CALLBACK) return {Code::kCancelled, "stopped"};
  if (all_left && answer < 400)
    return {Code::kAborted,
            fmt::format("{}: no answer to the whole message, which may have arrived", place)};
  if (code == CURLE_OPERATION_TIMEDOUT)
    return {Code::kDeadlineExceeded, fmt::format("{}: timed out", place)};
  if (code == CURLE_LOGIN_DENIED)
    return {Code::kPermissionDenied, fmt::format("{}: {}", place, last)};
  if (answer >= 500 && answer < 600)
    return {Code::kInvalidArgument, fmt::format("{}: {}", place, last)};
  if (answer >= 400) return {Code::kUnavailable, fmt::format("{}: {}", place, last)};
  return {Code::kUnavailable,
          fmt::format("{}: {}", place, *detail != 0 ? detail : curl_easy_strerror(code))};
}

}  // namespace

Status send_mail(const SmtpServer& server, const std::string& from,
                 std::span<const std::string> recipients, std::string_view message,
                 std::stop_token stop) {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(ready);
  TRY(check_header("From", from));
  for (const auto& one : recipients) TRY(check_header("To", one));
  const bool whole = server.tls == SmtpServer::Tls::kFromTheBegin;
  const int port = server.port != 0 ? server.port : whole ? 465 : 25;
  const bool v6 = server.host.find(':') != std::string::npos;
  const std::string place = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), server.host, port);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  CHECK(curl != nullptr);
  CURL* easy = curl.get();
  std::array<char, CURL_ERROR_SIZE> detail{};
  std::string last;
  Upload upload{.rest = message, .stop = std::move(stop)};
  curl_slist* to = nullptr;
  for (const auto& one : recipients)
    to = curl_slist_append(to, ("<" + envelope(one) + ">").c_str());
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> list(to, curl_slist_free_all);
  curl_easy_setopt(easy, CURLOPT_URL, ((whole ? "smtps://" : "smtp://") + place).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, long{server.timeout_ms});
  curl_easy_setopt(
      easy, CURLOPT_USE_SSL,
      server.tls == SmtpServer::Tls::kNone ? long{CURLUSESSL_NONE} : long{CURLUSESSL_ALL});
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, server.verify_tls ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, server.verify_tls ? 2L : 0L);
  if (const std::string trusted = authorities_file(server.ca_file); !trusted.empty())
    curl_easy_setopt(easy, CURLOPT_CAINFO, trusted.c_str());
  if (!server.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, server.user.c_str());
    if (!server.bearer.empty()) {
      curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, server.bearer.c_str());
    } else {
      curl_easy_setopt(easy, CURLOPT_PASSWORD, server.password.c_str());
    }
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, ("<" + envelope(from) + ">").c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &last);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, &upload);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = curl_easy_perform(easy);
  if (code == CURLE_OK) return {};
  long answer = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
  return std::unexpected(failure(code, answer, last, place, detail.data(), upload.rest.empty()));
}

}  // namespace tailrace::net
