#include "connect/secrets.h"

#include <algorithm>

#include "net/http_client.h"
#include "net/http_message.h"

namespace tailrace::connect {
namespace {

constexpr std::string_view kBlank = "***";
/// Shorter values (a page size, a country) would blank half of every message.
constexpr std::size_t kLeastBytes = 3;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

}  // namespace

Secrets::Secrets(const std::vector<std::string>& values, const std::string& url) {
  const std::string origin = net::origin_of(url);
  for (std::string value : values) {
    if (const std::string its = net::origin_of(value); !its.empty() && !origin.empty())
      value.erase(0, std::min(value.find_first_of("/?#", value.find("://") + 3), value.size()));
    if (value.size() < kLeastBytes || origin.find(value) != std::string::npos) continue;
    if (const std::string encoded = net::percent_encode(value); encoded != value)
      values_.push_back(encoded);
    values_.push_back(std::move(value));
  }
  std::ranges::sort(values_, std::greater{}, &std::string::size);
}

std::string Secrets::blank(std::string text) const {
  for (const std::string& value : values_) replace_all(text, value, kBlank);
  return text;
}

std::string Secrets::shown_url(std::string_view url) const {
  return net::redact_url(blank(std::string(url)));
}

std::string Secrets::shown_text(std::string text, std::string_view url) const {
  replace_all(text, net::redact_url(url), shown_url(url));
  return blank(std::move(text));
}

}  // namespace tailrace::connect
