// Zones, local times and texts against pendulum and Python: testdata/moments.txt
// (tests/real/airflow/moment_vectors.py says its format); and what a TZif file may hold.
#include "calendar/zone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "calendar/civil.h"
#include "calendar/testing/zones.h"

namespace tailrace::calendar {
namespace {

using Columns = std::vector<std::string>;

Columns split(const std::string& text, char separator) {
  Columns parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : std::string(1, c);
  return out;
}

Zone zone_of(const std::string& name) {
  static std::map<std::string, Zone> known;
  const auto found = known.find(name);
  return found != known.end() ? found->second
                              : known.emplace(name, testing::zone(name)).first->second;
}

void check_moment(const Columns& columns) {
  const Moment moment{std::stoll(columns[1]), zone_of(columns[2])};
  const Local local = moment.zone.to_local(moment.instant);
  EXPECT_EQ(isoformat(moment), columns[3]);
  EXPECT_EQ(std::to_string(local.fold), columns[4]) << columns[3];
  EXPECT_EQ(moment.zone.abbreviation(moment.instant), columns[5]) << columns[3];
  EXPECT_EQ(escaped(strftime(moment, columns[6])), columns[7])
      << columns[3] << " as " << columns[6];
  EXPECT_EQ(moment.zone.to_instant(local), moment.instant) << columns[3];
}

void check_local(const Columns& columns) {
  const std::string& text = columns[2];
  const Local local{.year = std::stoi(text.substr(0, 4)),
                    .month = std::stoi(text.substr(5, 2)),
                    .day = std::stoi(text.substr(8, 2)),
                    .hour = std::stoi(text.substr(11, 2)),
                    .minute = std::stoi(text.substr(14, 2)),
                    .fold = std::stoi(columns[3])};
  EXPECT_EQ(zone_of(columns[1]).to_instant(local), std::stoll(columns[4]))
      << columns[1] << " " << text;
}

void check_parse(const Columns& columns) {
  const auto moment = parse_moment(columns[2], zone_of(columns[1]));
  EXPECT_EQ(moment ? isoformat(*moment) : "", columns[3]) << columns[2] << " in " << columns[1];
}

TEST(moment, texts_and_local_times_are_as_pendulum_and_python_have_them) {
  const char* const told = std::getenv("TAILRACE_MOMENT_VECTORS");
  std::ifstream file(told != nullptr ? told : "src/calendar/testdata/moments.txt");
  int moments = 0, locals = 0, parses = 0;
  for (std::string line; std::getline(file, line);) {
    const Columns columns = split(line, '\t');
    if (columns[0] == "moment" && ++moments > 0) check_moment(columns);
    if (columns[0] == "local" && ++locals > 0) check_local(columns);
    if (columns[0] == "parse" && ++parses > 0) check_parse(columns);
  }
  EXPECT_GE(moments, 400);
  EXPECT_GE(locals, 200);
  EXPECT_GE(parses, 200);
}

TEST(zone, a_file_of_the_system_and_the_one_of_the_tests_agree) {
  // The first lists its changes up to 2037, the other has a rule for those after 1996.
  const auto system = Zone::find("Europe/Berlin");
  if (!system) GTEST_SKIP() << system.error().what;
  const Zone ours = zone_of("Europe/Berlin");
  for (Micros at = -3'000'000'000'000'000; at < 200'000'000'000'000'000; at += 86'399'777'777 * 2) {
    ASSERT_EQ(system->offset_seconds(at), ours.offset_seconds(at)) << at;
    ASSERT_EQ(system->abbreviation(at), ours.abbreviation(at)) << at;
  }
}

TEST(zone, the_rule_goes_on_for_ever_and_repeats_after_400_years) {
  const Zone berlin = zone_of("Europe/Berlin");
  EXPECT_EQ(isoformat({parse_moment("9999-07-01")->instant, berlin}), "9999-07-01T02:00:00+02:00");
  EXPECT_EQ(isoformat({parse_moment("9999-12-01")->instant, berlin}), "9999-12-01T01:00:00+01:00");
  const Micros cycle = kSecondsPer400Years * kMicrosPerSecond;
  for (Micros at = 1'700'000'000'000'000; at < 1'800'000'000'000'000; at += 3'600'000'000) {
    ASSERT_EQ(berlin.offset_seconds(at), berlin.offset_seconds(at + 7 * cycle));
  }
}

TEST(zone, names_that_are_no_zones_are_told_with_the_nearest) {
  EXPECT_EQ(*Zone::find("UTC"), Zone::utc());
  EXPECT_EQ(*Zone::find("utc"), Zone());
  EXPECT_EQ(Zone::find("+05:30")->name(), "+05:30");
  EXPECT_EQ(Zone::find("-0330")->offset_seconds(0), -12'600);
  EXPECT_EQ(*Zone::find("+02"), Zone::fixed(7200));
  for (const char* const name : {"", "/etc/passwd", "../../../etc/passwd", "Europe", "zone.tab",
                                 "Europe/Berlin\n", "+25:00", "Mars/Olympus_Mons"}) {
    const auto zone = Zone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, Code::kNotFound) << name;
  }
  if (Zone::find("Europe/Berlin")) {
    EXPECT_EQ(Zone::find("Europe/Berlln").error().what,
              "no time zone is called \"Europe/Berlln\"; do you mean Europe/Berlin?");
    EXPECT_EQ(Zone::find("europe/berlin").error().what,
              "no time zone is called \"europe/berlin\"; do you mean Europe/Berlin?");
    EXPECT_EQ(*Zone::find("Europe/Berlin"), *Zone::find("Europe/Berlin"));
  }
}

TEST(zone, no_bytes_are_read_beyond_a_file_that_lies) {
  std::ifstream file("src/calendar/testdata/zoneinfo/America/New_York", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_TRUE(Zone::read("whole", bytes));
  std::mt19937 random(7);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(Zone::read("cut", bytes.substr(0, length)));
  }
  for (int i = 0; i < 5000; ++i) {
    std::string changed = bytes;
    for (int edits = 0; edits < 3; ++edits)
      changed[random() % changed.size()] = static_cast<char>(random());
    const auto zone = Zone::read("changed", changed);
    if (zone) zone->to_local(zone->to_instant(zone->to_local(1'774'746'000'000'000)));
  }
}

TEST(zone, footers_of_every_form_of_rule_are_read) {
  const auto with_footer = [](const std::string& footer) {
    std::string block(44, '\0');
    block.replace(0, 5, "TZif2");
    block[39] = 1;  // one type
    block[43] = 4;  // four letters
    const std::string type("\0\0\0\0\0\0LMT\0", 10);
    return Zone::read("made", block + type + block + type + "\n" + footer + "\n");
  };
  const auto local = [](const Result<Zone>& zone, const char* utc) {
    return isoformat({parse_moment(utc)->instant, *zone});
  };
  // Day 60 of a year without a 29th of February, and day 59 from 0 of any year.
  const auto julian = with_footer("AAA3BBB,J60/0,59/4:30");
  ASSERT_TRUE(julian);
  EXPECT_EQ(local(julian, "2027-03-01T06:29:59"), "2027-03-01T04:29:59-02:00");
  EXPECT_EQ(local(julian, "2027-03-01T06:30:00"), "2027-03-01T03:30:00-03:00");
  EXPECT_EQ(local(julian, "2028-03-01T03:00:00"), "2028-03-01T01:00:00-02:00");
  // Hours below midnight and above a day, seconds, and names in brackets.
  const auto hours = with_footer("<-02>2<-01>,M3.5.0/-1,M10.5.0/25:00:01");
  ASSERT_TRUE(hours);
  EXPECT_EQ(local(hours, "2026-03-29T00:59:59"), "2026-03-28T22:59:59-02:00");
  EXPECT_EQ(local(hours, "2026-03-29T01:00:00"), "2026-03-29T00:00:00-01:00");
  EXPECT_EQ(local(hours, "2026-10-26T02:00:00"), "2026-10-26T01:00:00-01:00");
  EXPECT_EQ(local(hours, "2026-10-26T02:00:01"), "2026-10-26T00:00:01-02:00");
  EXPECT_EQ(hours->abbreviation(parse_moment("2026-07-01")->instant), "-01");
  // Summer for ever: the end of one year's is the beginning of the next's.
  const auto for_ever = with_footer("XXX3EDT4,0/0,J365/23");
  ASSERT_TRUE(for_ever);
  EXPECT_EQ(local(for_ever, "2027-01-01T04:00:00"), "2027-01-01T00:00:00-04:00");
  EXPECT_EQ(local(for_ever, "2026-12-31T12:00:00"), "2026-12-31T08:00:00-04:00");
  for (const char* const broken :
       {"AAA", "3", "AAA3BBB", "AAA3BBB,M1.1.1", "AAA3BBB,M13.1.1,M1.1.1", "AAA3BBB,M3.6.0,M10.5.0",
        "<AAA3", "AAA3BBB,J1,J2,J3"}) {
    EXPECT_FALSE(with_footer(broken)) << broken;
  }
}

}  // namespace
}  // namespace tailrace::calendar
