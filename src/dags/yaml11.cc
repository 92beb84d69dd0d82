#include "dags/yaml11.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "dags/python_types.h"

namespace tailrace::dags {
namespace {

using jinja::Value;

constexpr int kMaxDepth = 100;
/// Values of a file: what it has room to write, and what aliases may repeat.
constexpr std::size_t kMaxNodes = 20'000, kMaxNodesOfByte = 4;

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

/// `text[at…]` while `fits`; moves `at`.
template <typename F>
std::string_view run(std::string_view text, std::size_t& at, F fits) {
  const std::size_t start = at;
  while (at < text.size() && fits(text[at])) ++at;
  return text.substr(start, at - start);
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != '_') out += c;
  return out;
}

/// [1-9][0-9_]*(:[0-5]?[0-9])+ and, for floats, [0-9][0-9_]*(:…)+\.[0-9_]*: the parts between the
/// colons.
std::optional<std::vector<std::string>> sexagesimal(std::string_view body, bool with_fraction) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  const auto digits = [](char c) { return digit(c) || c == '_'; };
  if (body.empty() || !digit(body[0]) || (!with_fraction && body[0] == '0')) return std::nullopt;
  parts.push_back(without_underscores(run(body, at, digits)));
  while (at < body.size() && body[at] == ':') {
    ++at;
    const std::string_view part = run(body, at, digit);
    if (part.empty() || part.size() > 2 || (part.size() == 2 && part[0] > '5')) return std::nullopt;
    parts.emplace_back(part);
  }
  if (parts.size() < 2) return std::nullopt;
  if (with_fraction) {
    if (at >= body.size() || body[at] != '.') return std::nullopt;
    ++at;
    parts.back() += "." + without_underscores(run(body, at, digits));
  }
  return at == body.size() ? std::optional(parts) : std::nullopt;
}

Result<Value> whole(const std::string& digits, int base, bool negative) {
  std::uint64_t number = 0;
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (code != std::errc() || end != digits.data() + digits.size() || number > most)
    return error(Code::kOutOfRange, "a whole number of more than 64 bits");
  return Value(negative ? -static_cast<std::int64_t>(number) : static_cast<std::int64_t>(number));
}

std::optional<Result<Value>> integer(std::string_view text) {
  std::size_t at = 0;
  const bool negative = text[0] == '-';
  if (text[0] == '-' || text[0] == '+') ++at;
  const std::string_view body = text.substr(at);
  const auto all = [&](std::size_t from, auto fits) {
    return body.size() > from && std::all_of(body.begin() + from, body.end(), fits);
  };
  if (body.empty()) return std::nullopt;
  if (body.starts_with("0b") && all(2, [](char c) { return c == '0' || c == '1' || c == '_'; }))
    return whole(without_underscores(body.substr(2)), 2, negative);
  if (body.starts_with("0x") &&
      all(2, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) || c == '_'; }))
    return whole(without_underscores(body.substr(2)), 16, negative);
  if (body == "0") return Result<Value>(Value(0));
  if (body[0] == '0' && all(1, [](char c) { return (c >= '0' && c <= '7') || c == '_'; }))
    return whole(without_underscores(body.substr(1)), 8, negative);
  if (body[0] >= '1' && body[0] <= '9' && all(0, [](char c) { return digit(c) || c == '_'; }))
    return whole(without_underscores(body), 10, negative);
  if (const auto parts = sexagesimal(body, false)) {
    std::int64_t total = 0;
    for (const std::string& part : *parts) {
      const auto value = whole(part, 10, false);
      if (!value || total > (1LL << 50)) return whole("99999999999999999999", 10, false);
      total = total * 60 + *value->integer();
    }
    return Result<Value>(Value(negative ? -total : total));
  }
  return std::nullopt;
}

std::optional<Value> floating(std::string_view text) {
  const double sign = text[0] == '-' ? -1 : 1;
  const std::string_view body = text[0] == '-' || text[0] == '+' ? text.substr(1) : text;
  if (body == ".inf" || body == ".Inf" || body == ".INF")
    return Value(sign * std::numeric_limits<double>::infinity());
  if (text == ".nan" || text == ".NaN" || text == ".NAN")
    return Value(std::numeric_limits<double>::quiet_NaN());
  if (const auto parts = sexagesimal(body, true)) {
    double total = 0;
    for (const std::string& part : *parts) total = total * 60 + std::stod(part);
    return Value(sign * total);
  }
  std::size_t at = 0;
  const auto digits = [](char c) { return digit(c) || c == '_'; };
  if (body.empty()) return std::nullopt;
  if (digit(body[0])) {
    run(body, at, digits);
    if (at >= body.size() || body[at] != '.') return std::nullopt;
    ++at;
    run(body, at, digits);
  } else if (body.size() > 1 && body[0] == '.' && digit(body[1]) && body.size() == text.size()) {
    ++at;
    run(body, at, digits);
  } else {
    return std::nullopt;
  }
  if (at < body.size()) {
    if (body[at] != 'e' && body[at] != 'E') return std::nullopt;
    ++at;
    if (at >= body.size() || (body[at] != '+' && body[at] != '-')) return std::nullopt;
    ++at;
    if (run(body, at, digit).empty() || at != body.size()) return std::nullopt;
  }
  const std::string plain = without_underscores(body);
  double number = 0;
  std::from_chars(plain.data(), plain.data() + plain.size(), number);
  return Value(sign * number);
}

/// The digits of a timestamp, as PyYAML's regular expression takes them apart.
struct Stamp {
  int year = 0, month = 0, day = 0;
  bool time = false, zone = false;
  int hour = 0, minute = 0, second = 0, micro = 0, east_s = 0;
};

class StampScanner {
 public:
  explicit StampScanner(std::string_view text) : text_(text) {}

  std::optional<Stamp> scan() {
    Stamp stamp;
    if (!number(4, 4, stamp.year) || !take('-')) return std::nullopt;
    const std::size_t month_at = at_;
    if (!number(1, 2, stamp.month) || !take('-')) return std::nullopt;
    const std::size_t day_at = at_;
    if (!number(1, 2, stamp.day)) return std::nullopt;
    if (at_ == text_.size())
      return day_at - month_at == 3 && at_ - day_at == 2 ? std::optional(stamp) : std::nullopt;
    return time(stamp) ? std::optional(stamp) : std::nullopt;
  }

 private:
  bool time(Stamp& stamp) {
    stamp.time = true;
    if (text_[at_] == 'T' || text_[at_] == 't')
      ++at_;
    else if (run(text_, at_, blank).empty())
      return false;
    if (!number(1, 2, stamp.hour) || !take(':') || !number(2, 2, stamp.minute) || !take(':') ||
        !number(2, 2, stamp.second))
      return false;
    if (take('.')) {
      std::string fraction(run(text_, at_, digit));
      fraction.resize(6, '0');
      stamp.micro = std::stoi(fraction);
    }
    run(text_, at_, blank);
    if (at_ == text_.size()) return text_.back() != ' ' && text_.back() != '\t';
    stamp.zone = true;
    if (take('Z')) return at_ == text_.size();
    const bool west = text_[at_] == '-';
    if (!take('+') && !take('-')) return false;
    int hours = 0, minutes = 0;
    if (!number(1, 2, hours)) return false;
    if (take(':') && !number(2, 2, minutes)) return false;
    stamp.east_s = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return at_ == text_.size();
  }
  static bool blank(char c) { return c == ' ' || c == '\t'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool number(std::size_t least, std::size_t most, int& out) {
    std::size_t length = 0;
    out = 0;
    while (length < most && at_ < text_.size() && digit(text_[at_])) {
      out = out * 10 + (text_[at_++] - '0');
      ++length;
    }
    return length >= least;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<Result<Value>> timestamp(std::string_view text) {
  const auto stamp = StampScanner(text).scan();
  if (!stamp) return std::nullopt;
  const calendar::Local local{.year = stamp->year,
                              .month = stamp->month,
                              .day = stamp->day,
                              .hour = stamp->hour,
                              .minute = stamp->minute,
                              .second = stamp->second,
                              .micro = stamp->micro};
  if (!is_date(local))
    return Result<Value>(error(Code::kInvalidArgument,
                               "no date of the calendar; write it quoted "
                               "if it is a text"));
  if (!stamp->time) return Result<Value>(date_value(local));
  if (!stamp->zone) return Result<Value>(naive_value(local));
  const calendar::Zone zone =
      stamp->east_s == 0 ? calendar::Zone::utc() : calendar::Zone::fixed(stamp->east_s);
  return Result<Value>(Value(calendar::Moment{zone.to_instant(local), zone}));
}

bool among(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

/// yaml-cpp's nodes to ours.
class Converter {
 public:
  Converter(const Expanded& text, const std::string& file, Findings& findings)
      : text_(text),
        file_(file),
        findings_(findings),
        most_(kMaxNodes + kMaxNodesOfByte * text.text().size()) {}

  std::optional<Node> convert(const YAML::Node& from, int depth = 0) {
    Node node;
    node.place = place(from.Mark());
    if (depth > kMaxDepth || ++count_ > most_) {
      fail(node.place,
           depth > kMaxDepth ? "nested more than 100 deep" : "its aliases repeat too many values");
      return std::nullopt;
    }
    if (from.IsSequence()) return list(from, std::move(node), depth);
    if (from.IsMap()) return map(from, std::move(node), depth);
    if (!scalar(from, node)) return std::nullopt;
    return node;
  }
  Place place(const YAML::Mark& mark) const {
    Place place{file_};
    if (mark.pos < 0) return place;
    std::tie(place.line, place.column) = text_.place(static_cast<std::size_t>(mark.pos));
    return place;
  }

 private:
  void fail(const Place& place, std::string what) { findings_.fatal(place, std::move(what)); }

  std::optional<Node> list(const YAML::Node& from, Node node, int depth) {
    node.kind = Node::Kind::kList;
    if (!plain_tag(from, "seq") && from.Tag() != "tag:yaml.org,2002:python/tuple")
      return refuse_tag(from, node.place);
    for (const auto& item : from) {
      auto made = convert(item, depth + 1);
      if (!made) return std::nullopt;
      node.items.push_back(*std::move(made));
    }
    return node;
  }

  std::optional<Node> map(const YAML::Node& from, Node node, int depth) {
    node.kind = Node::Kind::kMap;
    if (!plain_tag(from, "map")) return refuse_tag(from, node.place);
    Node own;
    std::set<std::string> seen;
    for (const auto& entry : from) {
      if (entry.first.IsScalar() && entry.first.Tag() == "?" && entry.first.Scalar() == "<<") {
        if (!merge(entry.second, node, depth)) return std::nullopt;
        continue;
      }
      auto key = convert(entry.first, depth + 1);
      auto value = convert(entry.second, depth + 1);
      if (!key || !value) return std::nullopt;
      if (key->kind != Node::Kind::kScalar) {
        fail(key->place, "a key is one value, not " + key->what());
        return std::nullopt;
      }
      const std::string shown = key->scalar.repr();
      if (!seen.insert(shown).second)
        findings_.doubt(key->place, "`" + key->scalar.text() +
                                        "` is here twice, the last one counts; leave one of them");
      own.set({key->scalar, key->place}, *std::move(value));
    }
    for (std::size_t i = 0; i < own.keys.size(); ++i)
      node.set(std::move(own.keys[i]), std::move(own.items[i]));
    return node;
  }

  /// PyYAML's flatten_mapping: what is merged comes first; of a list the first goes before the
  /// second.
  bool merge(const YAML::Node& from, Node& into, int depth) {
    auto value = convert(from, depth + 1);
    if (!value) return false;
    std::vector<Node> parts;
    if (value->is_list())
      parts.assign(std::make_move_iterator(value->items.rbegin()),
                   std::make_move_iterator(value->items.rend()));
    else
      parts.push_back(*std::move(value));
    for (Node& part : parts) {
      if (!part.is_map()) {
        fail(part.place, "`<<` merges a mapping or a list of mappings, not " + part.what());
        return false;
      }
      for (std::size_t i = 0; i < part.keys.size(); ++i)
        into.set(std::move(part.keys[i]), std::move(part.items[i]));
    }
    return true;
  }

  bool scalar(const YAML::Node& from, Node& node) {
    const std::string tag = from.Tag();
    const std::string text = from.IsScalar() ? from.Scalar() : "";
    if (from.IsNull() && (tag.empty() || tag == "?" || tag == "tag:yaml.org,2002:null"))
      return true;
    if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      node.scalar = Value(text);
      return true;
    }
    if (const std::string function = "tag:yaml.org,2002:python/name:"; tag.starts_with(function)) {
      findings_.doubt(node.place,
                      "PyYAML takes `!!python/name:` only where the module was imported "
                      "before; write the dotted path as a text, python_callable: " +
                          tag.substr(function.size()));
      node.scalar = Value(tag.substr(function.size()));
      return true;
    }
    if (tag != "?" && tag != "" && !tag.starts_with("tag:yaml.org,2002:"))
      return refuse_tag(from, node.place).has_value();
    const std::string kind = tag.size() > 18 ? tag.substr(18) : "";
    if (!among(kind, {"", "bool", "int", "float", "null", "timestamp"}))
      return refuse_tag(from, node.place).has_value();
    auto value = plain_scalar(text);
    if (!value) {
      fail(node.place, "`" + text + "`: " + value.error().what);
      return false;
    }
    if (kind == "float" && value->integer())
      node.scalar = Value(static_cast<double>(*value->integer()));
    else
      node.scalar = *std::move(value);
    return true;
  }

  static bool plain_tag(const YAML::Node& from, std::string_view kind) {
    const std::string tag = from.Tag();
    return among(tag, {"", "?", "!"}) || tag == "tag:yaml.org,2002:" + std::string(kind);
  }
  std::optional<Node> refuse_tag(const YAML::Node& from, const Place& place) {
    fail(place, "the tag `" + from.Tag() +
                    "` is not read; write Python objects as {__type__: dotted.path, …}, functions "
                    "as python_callable: dotted.path");
    return std::nullopt;
  }

  const Expanded& text_;
  const std::string& file_;
  Findings& findings_;
  std::size_t most_, count_ = 0;
};

/// Takes no part in anything: for its parser's marks.
class DocumentStarts final : public YAML::EventHandler {
 public:
  std::vector<YAML::Mark> marks;
  void OnDocumentStart(const YAML::Mark& mark) override { marks.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

/// Where a second document begins, or what the first one left over; null when there is none. (On
/// what is left over, such as a `]`, YAML::LoadAll makes documents for ever.)
YAML::Mark second_document(const std::string& text) {
  std::istringstream in(text);
  YAML::Parser parser(in);
  DocumentStarts starts;
  while (starts.marks.size() < 2 && parser.HandleNextDocument(starts)) {
  }
  return starts.marks.size() < 2 ? YAML::Mark::null_mark() : starts.marks[1];
}

/// What newcomers trip over, seen from the line that the parser did not understand.
std::string hint(const std::string& text, int line) {
  std::size_t at = 0;
  for (int i = 0; i <= line && at < text.size(); ++i) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view row = std::string_view(text).substr(at, end - at);
    if (row.substr(0, row.find_first_not_of(" \t")).find('\t') != std::string_view::npos)
      return "; line " + std::to_string(i + 1) + " is indented with a tab: YAML takes blanks only";
    at = end + 1;
  }
  return "; look at the indentation, quotes and brackets of this line and the one before";
}

}  // namespace

Result<Value> plain_scalar(const std::string& text) {
  if (among(text, {"", "~", "null", "Null", "NULL"})) return Value();
  if (among(text, {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}))
    return Value(true);
  if (among(text, {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}))
    return Value(false);
  if (!digit(text[0]) && !among(text.substr(0, 1), {"-", "+", "."})) return Value(text);
  if (auto number = floating(text)) return *std::move(number);
  if (auto number = integer(text)) return *std::move(number);
  if (auto stamp = timestamp(text)) return *std::move(stamp);
  return Value(text);
}

Expanded::Expanded(const std::string& source, const Environment& environment)
    : source_(source), lines_{0} {
  for (std::size_t i = 0; i < source.size(); ++i)
    if (source[i] == '\n') lines_.push_back(i + 1);
  std::size_t at = 0;
  const auto keep = [&](std::size_t end) {
    if (end == at) return;
    pieces_.push_back({text_.size(), at, false});
    text_.append(source, at, end - at);
    at = end;
  };
  while (at < source.size()) {
    std::size_t from = at, dollar = 0, end = 0;
    std::string name;
    for (;; from = dollar + 1) {
      dollar = source.find('$', from);
      if (dollar == std::string::npos) break;
      end = dollar + 1;
      if (end < source.size() && source[end] == '{') {
        const std::size_t close = source.find('}', end);
        if (close == std::string::npos) continue;
        name = source.substr(end + 1, close - end - 1);
        end = close + 1;
        break;
      }
      while (end < source.size() && word_byte(source[end])) ++end;
      name = source.substr(dollar + 1, end - dollar - 1);
      if (!name.empty()) break;
    }
    if (dollar == std::string::npos) {
      keep(source.size());
      break;
    }
    keep(dollar);
    if (const auto value = environment(name)) {
      pieces_.push_back({text_.size(), dollar, true});
      text_ += *value;
      at = end;
    } else {
      keep(end);
    }
  }
}

std::pair<int, int> Expanded::place(std::size_t position) const {
  auto piece = std::ranges::upper_bound(pieces_, position, {}, &Piece::start);
  std::size_t source = 0;
  if (piece != pieces_.begin()) {
    --piece;
    source = piece->source + (piece->value ? 0 : position - piece->start);
  }
  source = std::min(source, source_.size());
  const auto line = std::ranges::upper_bound(lines_, source) - lines_.begin();
  int column = 1;
  for (std::size_t i = lines_[static_cast<std::size_t>(line) - 1]; i < source; ++i)
    column += (static_cast<unsigned char>(source_[i]) & 0xC0) != 0x80;
  return {static_cast<int>(line), column};
}

std::optional<Node> load_yaml(const std::string& text, const std::string& file,
                              const Environment& environment, Findings& findings) {
  const Expanded expanded(text, environment);
  Converter converter(expanded, file, findings);
  try {
    const YAML::Mark rest = second_document(expanded.text());
    if (rest.is_null()) return converter.convert(YAML::Load(expanded.text()));
    const std::string_view from =
        std::string_view(expanded.text())
            .substr(std::min(static_cast<std::size_t>(rest.pos), expanded.text().size()));
    findings.fatal(converter.place(rest),
                   from.starts_with("---")
                       ? "a second document (after `---`): one file is one document"
                       : "nothing is open that this could close or go on with" +
                             hint(text, converter.place(rest).line - 1));
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    const auto [line, column] =
        expanded.place(e.mark.is_null() ? 0 : static_cast<std::size_t>(e.mark.pos));
    findings.fatal({file, line, column}, e.msg + hint(text, line - 1));
    return std::nullopt;
  }
}

}  // namespace tailrace::dags
