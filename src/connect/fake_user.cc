#include "connect/fake_user.h"

#include <array>
#include <cstring>
#include <string_view>

#include "connect/fake_tables.h"
#include "rt/random.h"

namespace tailrace::connect {
namespace {

/// Ages are relative to this day, so that they never change: 2026-01-01.
constexpr std::int64_t kReferenceDay = 20454;
constexpr std::string_view kColours[] = {"yellow", "blue",  "red",    "green",
                                         "black",  "white", "silver", "purple"};
constexpr std::string_view kAnimals[] = {"peacock", "tiger", "zebra", "frog",
                                         "duck",    "lion",  "swan",  "panda"};
constexpr std::string_view kPasswords[] = {"addison", "phoenix", "monkey1", "genesis",
                                           "rainbow", "trouble", "indigo",  "q1w2e3"};

/// No record is longer; the longest texts of the tables make about 1,300 bytes.
constexpr std::size_t kMaxRecord = 4096;

/// Two hexadecimal digits of each byte, the low one first.
constexpr auto kHexPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < 256; ++i)
    pairs[i] = {"0123456789abcdef"[i & 15], "0123456789abcdef"[i >> 4]};
  return pairs;
}();

/// Draws from one record's numbers and writes its text to memory that has room for all of it.
class Writer {
 public:
  Writer(std::uint64_t seed, char* to) : state_(seed), to_(to) {}

  char* at() const { return to_; }
  std::uint64_t bits() { return rt::splitmix64(state_); }
  std::uint64_t below(std::uint64_t bound) {
    return ((bits() >> 32) * bound) >> 32;  // bounds are below 2^32
  }
  template <typename Table>
  std::string_view pick(const Table& table) {
    return table[below(std::size(table))];
  }

  /// A literal: its length is known here, so it is a few moves.
  template <std::size_t kSize>
  Writer& text(const char (&literal)[kSize]) {
    std::memcpy(to_, literal, kSize - 1);
    to_ += kSize - 1;
    return *this;
  }
  Writer& text(std::string_view text) {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
    return *this;
  }
  Writer& number(std::uint64_t value, int width = 1) {
    char digits[20];
    int at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value || static_cast<int>(sizeof digits) - at < width);
    return text(std::string_view(digits + at, sizeof digits - static_cast<std::size_t>(at)));
  }
  Writer& hex(int digits) {
    char* end = to_ + digits;
    for (; digits > 0; digits -= 16) {
      std::uint64_t word = bits();
      for (int i = 0; i < 8; ++i, word >>= 8, to_ += 2)
        std::memcpy(to_, kHexPairs[word & 0xff].data(), 2);
    }
    to_ = end;  // the last word may have written past it
    return *this;
  }
  Writer& pattern(std::string_view pattern) {
    std::uint64_t word = bits();
    for (const char c : pattern) {
      const std::uint64_t part = word & 0xff;
      word = word >> 8 | word << 56;
      word *= 0x9e3779b97f4a7c15;
      *to_++ = c == '#'   ? static_cast<char>('0' + part % 10)
               : c == '1' ? static_cast<char>('1' + part % 9)
               : c == '@' ? static_cast<char>('A' + part % 26)
                          : c;
    }
    return *this;
  }
  /// ASCII letters of a name in lower case; "user" when it has none.
  Writer& address(std::string_view name) {
    const char* before = to_;
    for (const char c : name)
      if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') *to_++ = static_cast<char>(c | 0x20);
    return to_ == before ? text("user") : *this;
  }
  Writer& date(std::int64_t day);

 private:
  std::uint64_t state_;
  char* to_;
};

// Howard Hinnant's civil_from_days.
Writer& Writer::date(std::int64_t day) {
  const std::int64_t z = day + 719468;
  const std::int64_t era = z / 146097;
  const auto doe = static_cast<std::uint64_t>(z - era * 146097);
  const std::uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::uint64_t mp = (5 * doy + 2) / 153;
  const std::uint64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::uint64_t ms = below(86'400'000);
  number(yoe + era * 400 + (month <= 2), 4).text("-").number(month, 2).text("-");
  number(doy - (153 * mp + 2) / 5 + 1, 2).text("T").number(ms / 3'600'000, 2).text(":");
  number(ms / 60'000 % 60, 2).text(":").number(ms / 1000 % 60, 2).text(".");
  return number(ms % 1000, 3).text("Z");
}

void write_coordinate(Writer& w, std::uint64_t range) {
  w.text(std::string_view(w.below(2) ? "-" : ""))
      .number(w.below(range))
      .text(".")
      .number(w.below(10000), 4);
}

void write_location(Writer& w, const Nation& nation) {
  w.text("\"location\":{\"street\":{\"number\":").number(1 + w.below(9999));
  w.text(",\"name\":\"")
      .text(w.pick(nation.streets))
      .text("\"},\"city\":\"")
      .text(w.pick(nation.cities));
  w.text("\",\"state\":\"")
      .text(w.pick(nation.states))
      .text("\",\"country\":\"")
      .text(nation.country);
  const std::string_view quote = nation.postcode_is_number ? "" : "\"";
  w.text("\",\"postcode\":").text(quote).pattern(nation.postcode).text(quote);
  w.text(",\"coordinates\":{\"latitude\":\"");
  write_coordinate(w, 90);
  w.text("\",\"longitude\":\"");
  write_coordinate(w, 180);
  w.text("\"},\"timezone\":{\"offset\":\"").text(nation.offset);
  w.text("\",\"description\":\"").text(nation.zone).text("\"}},");
}

void write_uuid(Writer& w) {
  w.hex(8)
      .text("-")
      .hex(4)
      .text("-4")
      .hex(3)
      .text("-")
      .text(std::string_view(w.below(2) ? "8" : "a"))
      .hex(3)
      .text("-")
      .hex(12);
}

void write_login(Writer& w, bool null_id, const char*& uuid) {
  w.text("\"login\":{\"uuid\":");
  if (null_id) {
    w.text("null");
  } else {
    w.text("\"");
    uuid = w.at();
    write_uuid(w);
    w.text("\"");
  }
  w.text(",\"username\":\"")
      .text(w.pick(kColours))
      .text(w.pick(kAnimals))
      .number(100 + w.below(900));
  w.text("\",\"password\":\"").text(w.pick(kPasswords)).text("\",\"salt\":\"").hex(8);
  w.text("\",\"md5\":\"")
      .hex(32)
      .text("\",\"sha1\":\"")
      .hex(40)
      .text("\",\"sha256\":\"")
      .hex(64)
      .text("\"},");
}

void write_dates(Writer& w) {
  const auto age_days = static_cast<std::int64_t>(18 * 366 + w.below(62 * 365));
  const auto member_days = static_cast<std::int64_t>(1 + w.below(20 * 365));
  w.text("\"dob\":{\"date\":\"").date(kReferenceDay - age_days);
  w.text("\",\"age\":").number(static_cast<std::uint64_t>(age_days * 10000 / 3652425));
  w.text("},\"registered\":{\"date\":\"").date(kReferenceDay - member_days);
  w.text("\",\"age\":")
      .number(static_cast<std::uint64_t>(member_days * 10000 / 3652425))
      .text("},");
}

void write_pictures(Writer& w, bool man) {
  const std::string_view folder = man ? "men/" : "women/";
  const std::uint64_t number = w.below(man ? 100 : 97);
  w.text("\"picture\":{\"large\":\"https://randomuser.me/api/portraits/")
      .text(folder)
      .number(number);
  w.text(".jpg\",\"medium\":\"https://randomuser.me/api/portraits/med/")
      .text(folder)
      .number(number);
  w.text(".jpg\",\"thumbnail\":\"https://randomuser.me/api/portraits/thumb/")
      .text(folder)
      .number(number);
  w.text(".jpg\"},");
}

/// `uuid` is set to where login.uuid stands, unless it is null.
void write_user(Writer& w, bool null_id, const char*& uuid) {
  const Nation& nation = kNations[w.below(kNations.size())];
  const bool man = w.below(2);
  const std::string_view first = w.pick(man ? nation.men : nation.women);
  const std::string_view last = w.pick(nation.last);
  constexpr std::string_view kTitles[] = {"Ms", "Mrs", "Miss"};
  w.text("{\"gender\":\"")
      .text(std::string_view(man ? "male" : "female"))
      .text("\",\"name\":{\"title\":\"");
  w.text(man ? "Mr" : w.pick(kTitles)).text("\",\"first\":\"").text(first);
  w.text("\",\"last\":\"").text(last).text("\"},");
  write_location(w, nation);
  w.text("\"email\":\"").address(first).text(".").address(last).text("@example.com\",");
  write_login(w, null_id, uuid);
  write_dates(w);
  w.text("\"phone\":\"").pattern(nation.phone).text("\",\"cell\":\"").pattern(nation.cell);
  w.text("\",\"id\":{\"name\":\"")
      .text(nation.id_name)
      .text("\",\"value\":\"")
      .pattern(nation.id_value)
      .text("\"},");
  write_pictures(w, man);
  w.text("\"nat\":\"").text(nation.nat).text("\"}");
}

double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

FakeUsers::Made FakeUsers::append(std::int64_t number, std::string& out) const {
  std::uint64_t faults = seed_ ^ (static_cast<std::uint64_t>(number) * 0xd1342543de82ef95 + 1);
  std::int64_t of = number;
  if (number > 0 && faults_.duplicates > 0 && unit(rt::splitmix64(faults)) < faults_.duplicates)
    of = static_cast<std::int64_t>(rt::splitmix64(faults) % static_cast<std::uint64_t>(number));
  const bool null_id = faults_.null_ids > 0 && unit(rt::splitmix64(faults)) < faults_.null_ids;
  const bool cut = faults_.bad_json > 0 && unit(rt::splitmix64(faults)) < faults_.bad_json;
  Made made;
  made.late = faults_.late > 0 && unit(rt::splitmix64(faults)) < faults_.late;
  const std::size_t begin = out.size();
  std::uint64_t mixed = seed_ * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(of);
  mixed = rt::splitmix64(mixed);
  out.resize_and_overwrite(begin + kMaxRecord, [&](char* bytes, std::size_t) {
    Writer writer(mixed, bytes + begin);
    const char* uuid = nullptr;
    write_user(writer, null_id, uuid);
    if (uuid) made.uuid_at = static_cast<std::size_t>(uuid - bytes);
    return static_cast<std::size_t>(writer.at() - bytes);
  });
  if (cut) out.resize(begin + (out.size() - begin) * 3 / 4);
  return made;
}

}  // namespace tailrace::connect
