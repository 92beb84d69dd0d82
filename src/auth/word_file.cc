#include "auth/word_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "rt/file.h"

namespace tailrace::auth {
namespace {

constexpr std::size_t kMostBytes = 256 << 20;

std::string escaped(std::string_view text) {
  if (text.empty()) return "%";
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '%') {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

Result<std::string> unescaped(std::string_view text) {
  if (text == "%") return std::string();
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(i + 1, 2);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < 2 || failed != std::errc() || end != digits.data() + 2) {
      return error(Code::kDataLoss, fmt::format("'{}' is no word", text));
    }
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

Result<Words> words_of(std::string_view line) {
  Words words;
  for (;;) {
    const auto space = line.find(' ');
    ASSIGN(auto word, unescaped(line.substr(0, space)));
    words.push_back(std::move(word));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

}  // namespace

Result<std::vector<Words>> read_words(const std::string& path) {
  std::vector<Words> lines;
  auto read = rt::read_whole(rt::posix_files(), path, kMostBytes);
  if (!read && read.error().code == Code::kNotFound) return lines;
  if (!read) return std::unexpected(read.error());
  for (std::string_view text = *read; !text.empty();) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    auto words = words_of(line);
    if (!words) return std::unexpected(words.error().in(path));
    lines.push_back(std::move(*words));
  }
  return lines;
}

Status write_words(const std::string& path, const std::vector<Words>& lines) {
  std::string text;
  for (const auto& words : lines) {
    for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : " ") + escaped(words[i]);
    text += '\n';
  }
  // The file that is renamed over the old one keeps the rights it is made with.
  const int made = ::open((path + ".tmp").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
  return rt::write_atomically(rt::posix_files(), path, text);
}

}  // namespace tailrace::auth
