// E-mail: a MIME message, and an SMTP client on libcurl that hands it over.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tailrace::net {

struct Mail {
  struct File {
    std::string name, bytes;
  };
  std::string from, subject;
  std::vector<std::string> to, cc;  ///< as people write them: `a@b.c`, `Name <a@b.c>`
  std::string html;
  std::string charset = "utf-8", subtype = "mixed";  ///< of the multipart
  std::vector<File> files = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< beside those above
  /// The same for who shows no HTML: `subtype` is `alternative` then. Empty: there is none.
  std::string text = {};
};

/// Its text with lines of CRLF. An Error: a header's value has a line end, or its name is none.
Result<std::string> mime_text(const Mail& mail, std::int64_t seconds_since_1970);

struct SmtpServer {
  enum class Tls { kNone, kStartTls, kFromTheBegin };
  std::string host;
  int port = 0;  ///< 0: 465 with TLS from the begin, else 25
  Tls tls = Tls::kStartTls;
  bool verify_tls = true;
  std::string ca_file = {};
  std::string user = {}, password = {};
  std::string bearer = {};  ///< an OAuth 2 token instead of the password (XOAUTH2)
  int timeout_ms = 30'000;
};

/// Hands a message over for every recipient, or for none. Errors carry the server's answer, never a
/// password. kUnavailable: not reached, broken off, a temporary refusal (4xx); kPermissionDenied:
/// not let in; kInvalidArgument: refused for good (5xx); kAborted: broken off, or no answer, after
/// the whole message had left, so that it may have arrived.
Status send_mail(const SmtpServer& server, const std::string& from,
                 std::span<const std::string> recipients, std::string_view message,
                 std::stop_token stop = {});

}  // namespace tailrace::net
