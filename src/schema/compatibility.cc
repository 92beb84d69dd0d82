#include "schema/compatibility.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tailrace::schema {
namespace {

constexpr std::array<std::string_view, 7> kLevels = {
    "NONE", "BACKWARD",       "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE",
    "FULL", "FULL_TRANSITIVE"};

// How much of an earlier schema's text a message holds.
constexpr std::size_t kMaxShown = 10 * 1024;

bool is_transitive(Level level) {
  return level == Level::kBackwardTransitive || level == Level::kForwardTransitive ||
         level == Level::kFullTransitive;
}
bool reads_back(Level level) {
  return level != Level::kNone && level != Level::kForward && level != Level::kForwardTransitive;
}
bool reads_forward(Level level) {
  return level != Level::kNone && level != Level::kBackward && level != Level::kBackwardTransitive;
}

std::string shown(const ParsedSchema& schema) {
  std::string text = schema.canonical();
  if (text.size() <= kMaxShown) return "{oldSchema: '" + text + "'}";
  return "{oldSchema: <truncated> '" + text.substr(0, kMaxShown) + "...'}";
}

// The old schema is told after the differences of the last direction that is checked.
std::vector<std::string> between(Level level, const ParsedSchema& candidate, const Version& old) {
  if (candidate.format() != old.schema->format())
    return {"Incompatible because of different schema type"};
  std::vector<std::string> texts;
  bool tell = false;
  if (reads_forward(level)) {
    for (const auto& one : old.schema->incompatibilities(candidate))
      texts.push_back(difference_text(one, "old", "new", candidate.format()));
    tell = !reads_back(level) && !texts.empty();
  }
  if (reads_back(level)) {
    const auto found = candidate.incompatibilities(*old.schema);
    for (const auto& one : found)
      texts.push_back(difference_text(one, "new", "old", candidate.format()));
    tell = !found.empty();
  }
  if (tell) {
    texts.push_back("{oldSchemaVersion: " + std::to_string(old.number) + "}");
    texts.push_back(shown(*old.schema));
  }
  return texts;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

}  // namespace

std::string_view level_name(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<Level> level_named(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto found = std::ranges::find(kLevels, upper);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<Level>(found - kLevels.begin());
}

std::string difference_text(const Incompatibility& one, std::string_view reader,
                            std::string_view writer, Format format) {
  std::string description = one.description;
  replace_all(description, "{reader}", reader);
  replace_all(description, "{writer}", writer);
  if (format == Format::kProtobuf)
    return "{errorType:\"" + one.type + "\", description:\"" + description + "\"}";
  if (format == Format::kJsonSchema)
    return "{errorType:\"" + one.type + "\", description:\"" + description + "'}";
  return "{errorType:'" + one.type + "', description:'" + description + "', additionalInfo:'" +
         one.detail + "'}";
}

std::vector<std::string> why_not_after(Level level, const ParsedSchema& candidate,
                                       std::span<const Version> earlier) {
  if (level == Level::kNone) return {};
  for (auto old = earlier.rbegin(); old != earlier.rend(); ++old) {
    auto texts = between(level, candidate, *old);
    if (!texts.empty() || !is_transitive(level)) return texts;
  }
  return {};
}

}  // namespace tailrace::schema
