// Upper and lower case and initial capitals, as Java has them: one code point for one, but for
// those that Unicode's SpecialCasing.txt makes several of (ß → SS, İ → i̇) and the final sigma.
#include <arrow/compute/api.h>

#include <algorithm>

#include "engine/functions/function.h"
#include "engine/functions/registry.h"
#include "engine/functions/utf8.h"

namespace tailrace::engine {
namespace {

using Text = std::string_view;

struct Special {
  std::int32_t point;
  Text upper, title;
};

// SpecialCasing.txt, the unconditional mappings to upper and title case; sorted.
constexpr Special kSpecial[] = {
    {0x00DF, "SS", "Ss"},
    {0x0149, "\u02BCN", "\u02BCN"},
    {0x01F0, "J\u030C", "J\u030C"},
    {0x0390, "\u0399\u0308\u0301", "\u0399\u0308\u0301"},
    {0x03B0, "\u03A5\u0308\u0301", "\u03A5\u0308\u0301"},
    {0x0587, "\u0535\u0552", "\u0535\u0582"},
    {0x1E96, "H\u0331", "H\u0331"},
    {0x1E97, "T\u0308", "T\u0308"},
    {0x1E98, "W\u030A", "W\u030A"},
    {0x1E99, "Y\u030A", "Y\u030A"},
    {0x1E9A, "A\u02BE", "A\u02BE"},
    {0x1F50, "\u03A5\u0313", "\u03A5\u0313"},
    {0x1F52, "\u03A5\u0313\u0300", "\u03A5\u0313\u0300"},
    {0x1F54, "\u03A5\u0313\u0301", "\u03A5\u0313\u0301"},
    {0x1F56, "\u03A5\u0313\u0342", "\u03A5\u0313\u0342"},
    {0x1F80, "\u1F08\u0399", "\u1F88"},
    {0x1F81, "\u1F09\u0399", "\u1F89"},
    {0x1F82, "\u1F0A\u0399", "\u1F8A"},
    {0x1F83, "\u1F0B\u0399", "\u1F8B"},
    {0x1F84, "\u1F0C\u0399", "\u1F8C"},
    {0x1F85, "\u1F0D\u0399", "\u1F8D"},
    {0x1F86, "\u1F0E\u0399", "\u1F8E"},
    {0x1F87, "\u1F0F\u0399", "\u1F8F"},
    {0x1F88, "\u1F08\u0399", "\u1F88"},
    {0x1F89, "\u1F09\u0399", "\u1F89"},
    {0x1F8A, "\u1F0A\u0399", "\u1F8A"},
    {0x1F8B, "\u1F0B\u0399", "\u1F8B"},
    {0x1F8C, "\u1F0C\u0399", "\u1F8C"},
    {0x1F8D, "\u1F0D\u0399", "\u1F8D"},
    {0x1F8E, "\u1F0E\u0399", "\u1F8E"},
    {0x1F8F, "\u1F0F\u0399", "\u1F8F"},
    {0x1F90, "\u1F28\u0399", "\u1F98"},
    {0x1F91, "\u1F29\u0399", "\u1F99"},
    {0x1F92, "\u1F2A\u0399", "\u1F9A"},
    {0x1F93, "\u1F2B\u0399", "\u1F9B"},
    {0x1F94, "\u1F2C\u0399", "\u1F9C"},
    {0x1F95, "\u1F2D\u0399", "\u1F9D"},
    {0x1F96, "\u1F2E\u0399", "\u1F9E"},
    {0x1F97, "\u1F2F\u0399", "\u1F9F"},
    {0x1F98, "\u1F28\u0399", "\u1F98"},
    {0x1F99, "\u1F29\u0399", "\u1F99"},
    {0x1F9A, "\u1F2A\u0399", "\u1F9A"},
    {0x1F9B, "\u1F2B\u0399", "\u1F9B"},
    {0x1F9C, "\u1F2C\u0399", "\u1F9C"},
    {0x1F9D, "\u1F2D\u0399", "\u1F9D"},
    {0x1F9E, "\u1F2E\u0399", "\u1F9E"},
    {0x1F9F, "\u1F2F\u0399", "\u1F9F"},
    {0x1FA0, "\u1F68\u0399", "\u1FA8"},
    {0x1FA1, "\u1F69\u0399", "\u1FA9"},
    {0x1FA2, "\u1F6A\u0399", "\u1FAA"},
    {0x1FA3, "\u1F6B\u0399", "\u1FAB"},
    {0x1FA4, "\u1F6C\u0399", "\u1FAC"},
    {0x1FA5, "\u1F6D\u0399", "\u1FAD"},
    {0x1FA6, "\u1F6E\u0399", "\u1FAE"},
    {0x1FA7, "\u1F6F\u0399", "\u1FAF"},
    {0x1FA8, "\u1F68\u0399", "\u1FA8"},
    {0x1FA9, "\u1F69\u0399", "\u1FA9"},
    {0x1FAA, "\u1F6A\u0399", "\u1FAA"},
    {0x1FAB, "\u1F6B\u0399", "\u1FAB"},
    {0x1FAC, "\u1F6C\u0399", "\u1FAC"},
    {0x1FAD, "\u1F6D\u0399", "\u1FAD"},
    {0x1FAE, "\u1F6E\u0399", "\u1FAE"},
    {0x1FAF, "\u1F6F\u0399", "\u1FAF"},
    {0x1FB2, "\u1FBA\u0399", "\u1FBA\u0345"},
    {0x1FB3, "\u0391\u0399", "\u1FBC"},
    {0x1FB4, "\u0386\u0399", "\u0386\u0345"},
    {0x1FB6, "\u0391\u0342", "\u0391\u0342"},
    {0x1FB7, "\u0391\u0342\u0399", "\u0391\u0342\u0345"},
    {0x1FBC, "\u0391\u0399", "\u1FBC"},
    {0x1FC2, "\u1FCA\u0399", "\u1FCA\u0345"},
    {0x1FC3, "\u0397\u0399", "\u1FCC"},
    {0x1FC4, "\u0389\u0399", "\u0389\u0345"},
    {0x1FC6, "\u0397\u0342", "\u0397\u0342"},
    {0x1FC7, "\u0397\u0342\u0399", "\u0397\u0342\u0345"},
    {0x1FCC, "\u0397\u0399", "\u1FCC"},
    {0x1FD2, "\u0399\u0308\u0300", "\u0399\u0308\u0300"},
    {0x1FD3, "\u0399\u0308\u0301", "\u0399\u0308\u0301"},
    {0x1FD6, "\u0399\u0342", "\u0399\u0342"},
    {0x1FD7, "\u0399\u0308\u0342", "\u0399\u0308\u0342"},
    {0x1FE2, "\u03A5\u0308\u0300", "\u03A5\u0308\u0300"},
    {0x1FE3, "\u03A5\u0308\u0301", "\u03A5\u0308\u0301"},
    {0x1FE4, "\u03A1\u0313", "\u03A1\u0313"},
    {0x1FE6, "\u03A5\u0342", "\u03A5\u0342"},
    {0x1FE7, "\u03A5\u0308\u0342", "\u03A5\u0308\u0342"},
    {0x1FF2, "\u1FFA\u0399", "\u1FFA\u0345"},
    {0x1FF3, "\u03A9\u0399", "\u1FFC"},
    {0x1FF4, "\u038F\u0399", "\u038F\u0345"},
    {0x1FF6, "\u03A9\u0342", "\u03A9\u0342"},
    {0x1FF7, "\u03A9\u0342\u0399", "\u03A9\u0342\u0345"},
    {0x1FFC, "\u03A9\u0399", "\u1FFC"},
    {0xFB00, "FF", "Ff"},
    {0xFB01, "FI", "Fi"},
    {0xFB02, "FL", "Fl"},
    {0xFB03, "FFI", "Ffi"},
    {0xFB04, "FFL", "Ffl"},
    {0xFB05, "ST", "St"},
    {0xFB06, "ST", "St"},
    {0xFB13, "\u0544\u0546", "\u0544\u0576"},
    {0xFB14, "\u0544\u0535", "\u0544\u0565"},
    {0xFB15, "\u0544\u053B", "\u0544\u056B"},
    {0xFB16, "\u054E\u0546", "\u054E\u0576"},
    {0xFB17, "\u0544\u053D", "\u0544\u056D"},
};

constexpr std::int32_t kDottedI = 0x130, kSigma = 0x3A3;
constexpr Text kDottedLower = "i\u0307", kFinalSigma = "\u03C2";

bool is_ascii(Text text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<signed char>(c) < 0; });
}

const Special* special(Text point) {
  const std::int32_t number = utf8_first(point);
  const auto found = std::ranges::lower_bound(kSpecial, number, {}, &Special::point);
  return found != std::end(kSpecial) && found->point == number ? found : nullptr;
}

/// The argument by a kernel that maps each code point to one.
Result<Array> simple_case(Call& call, const char* kernel) {
  ASSIGN(auto made, from_arrow(arrow::compute::CallFunction(kernel, {call.args[0].array})));
  return made.make_array();
}

std::vector<Text> code_points(Text text) {
  std::vector<Text> out;
  for (std::size_t at = 0; at < text.size(); at += out.back().size())
    out.push_back(text.substr(at, utf8_width(text[at])));
  return out;
}

Result<Array> upper(Call& call) {
  ASSIGN(const Array made, simple_case(call, "utf8_upper"));
  const Reader<Text> simple(Value{made, call.args[0].constant});
  return map_rows<Text>(call, [&](std::int64_t row, Text text) {
    if (is_ascii(text)) return std::string(simple[row]);
    std::string out;
    const auto from = code_points(text), to = code_points(simple[row]);
    for (std::size_t i = 0; i < from.size() && i < to.size(); ++i) {
      const Special* several = special(from[i]);
      out += several ? several->upper : to[i];
    }
    return out;
  });
}

/// What Unicode calls case-ignorable, as far as it stands in words.
bool passed_over(Text point) {
  const std::int32_t number = utf8_first(point);
  return Text("'.:^`\u00A8\u00AD\u00B7\u2019").find(point) != Text::npos ||
         (number >= 0x300 && number < 0x370);
}

/// One text in both cases, code point by code point.
struct BothCases {
  std::vector<Text> lower, upper;

  /// Unicode's Final_Sigma: a letter with case before it in the word, none after it.
  bool final_at(std::size_t at) const {
    const auto cased = [&](std::size_t i) { return lower[i] != upper[i]; };
    std::size_t before = at, after = at + 1;
    while (before > 0 && passed_over(lower[before - 1])) --before;
    while (after < lower.size() && passed_over(lower[after])) ++after;
    return before > 0 && cased(before - 1) && !(after < lower.size() && cased(after));
  }
};

Text lower_at(Text point, const BothCases& cases, std::size_t at) {
  const std::int32_t number = utf8_first(point);
  if (number == kDottedI) return kDottedLower;
  return number == kSigma && cases.final_at(at) ? kFinalSigma : cases.lower[at];
}

std::string lower_of(Text text, const BothCases& cases) {
  std::string out;
  const auto from = code_points(text);
  for (std::size_t i = 0; i < from.size() && i < cases.lower.size(); ++i)
    out += lower_at(from[i], cases, i);
  return out;
}

Result<Array> lower(Call& call) {
  ASSIGN(const Array low, simple_case(call, "utf8_lower"));
  ASSIGN(const Array high, simple_case(call, "utf8_upper"));
  const Reader<Text> lows(Value{low, call.args[0].constant}),
      highs(Value{high, call.args[0].constant});
  return map_rows<Text>(call, [&](std::int64_t row, Text text) {
    if (is_ascii(text)) return std::string(lows[row]);
    return lower_of(text, {code_points(lows[row]), code_points(highs[row])});
  });
}

/// A capital before small letters. DŽ, LJ, NJ and DZ have one of their own (the middle one of
/// three), Georgian letters keep their form.
std::string title_of(Text point, Text simple_upper) {
  const std::int32_t upper = utf8_first(simple_upper);
  if (upper == 0x1C4 || upper == 0x1C7 || upper == 0x1CA || upper == 0x1F1) {
    std::string next(simple_upper);
    ++next.back();
    return next;
  }
  if (upper >= 0x1C90 && upper <= 0x1CBF) return std::string(point);
  const Special* several = special(point);
  return std::string(several ? several->title : simple_upper);
}

/// Words are parted by spaces alone.
Result<Array> initcap(Call& call) {
  const bool constant = call.args[0].constant;
  ASSIGN(const Array low, simple_case(call, "utf8_lower"));
  ASSIGN(const Array high, simple_case(call, "utf8_upper"));
  const Reader<Text> lows(Value{low, constant}), highs(Value{high, constant});
  return map_rows<Text>(call, [&](std::int64_t row, Text text) {
    std::string out;
    const auto from = code_points(text);
    const BothCases cases{code_points(lows[row]), code_points(highs[row])};
    bool start = true;
    for (std::size_t i = 0; i < from.size() && i < cases.lower.size(); ++i) {
      out += start ? title_of(from[i], cases.upper[i]) : std::string(lower_at(from[i], cases, i));
      start = from[i] == " ";
    }
    return out;
  });
}

}  // namespace

void add_letter_case(Functions& out) {
  out.push_back({{"upper", "upper(text)", "In upper case.", "upper('aß')", "ASS"},
                 {"ucase"},
                 signature("string -> string"),
                 upper});
  out.push_back({{"lower", "lower(text)", "In lower case.", "lower('AÉ')", "aé"},
                 {"lcase"},
                 signature("string -> string"),
                 lower});
  out.push_back({{"initcap", "initcap(text)", "Each word with a capital.", "initcap('ann SMITH')",
                  "Ann Smith"},
                 {},
                 signature("string -> string"),
                 initcap});
}

}  // namespace tailrace::engine
