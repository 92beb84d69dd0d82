// Timetables against Airflow's: testdata/timetables.txt is a list of conversations
// (tests/real/airflow/timetable_vectors.py says its format).
#include "calendar/timetable.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "calendar/testing/zones.h"

namespace tailrace::calendar {
namespace {

constexpr Micros kDay = 86'400'000'000;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// `1774656000.250000`
Micros seconds(const std::string& text) {
  const auto parts = split(text, '.');
  return std::stoll(parts[0]) * 1'000'000 + (parts.size() > 1 ? std::stoll(parts[1]) : 0);
}

std::optional<Micros> maybe(const std::string& text) {
  return text == "-" ? std::nullopt : std::optional(seconds(text));
}

Delta delta(const std::string& text) {
  const bool relative = text.starts_with('r');
  const auto parts = split(text.substr(relative ? 1 : 0), ',');
  return {std::stoi(parts[0]), std::stoi(parts[1]), std::stoll(parts[2]), relative};
}

CronTrigger crons(const std::vector<std::string>& arguments) {
  CronTrigger trigger{{}, testing::zone(arguments[0]), delta(arguments[1]), std::nullopt, false};
  trigger.run_immediately = arguments[2] == "yes";
  if (arguments[2] != "yes" && arguments[2] != "no")
    trigger.run_immediately_within = std::stoll(arguments[2]);
  for (std::size_t i = 3; i < arguments.size(); ++i)
    trigger.crons.push_back(*Cron::parse(arguments[i]));
  return trigger;
}

Events events(const std::vector<std::string>& arguments) {
  Events events{{}, arguments[0] == "yes", arguments[1]};
  for (const std::string& time : split(arguments[2], ',')) {
    if (!time.empty()) events.times.push_back(std::stoll(time));
  }
  return events;
}

Timetable timetable(const std::string& kind, const std::vector<std::string>& arguments) {
  if (kind == "none") return Timetable(NoTimetable{});
  if (kind == "once") return Timetable(Once{});
  if (kind == "continuous") return Timetable(Continuous{});
  if (kind == "crons") return Timetable(crons(arguments));
  if (kind == "cron-interval") {
    return Timetable(CronInterval{*Cron::parse(arguments[1]), testing::zone(arguments[0])});
  }
  if (kind == "delta") return Timetable(DeltaTrigger{delta(arguments[0]), delta(arguments[1])});
  if (kind == "delta-interval") return Timetable(DeltaInterval{delta(arguments[0])});
  EXPECT_EQ(kind, "events");
  return Timetable(events(arguments));
}

/// `AFTER,START,END`
std::optional<RunInfo> expected_run(const std::string& text) {
  if (text == "-") return std::nullopt;
  const auto parts = split(text, ',');
  const Micros after = seconds(parts[0]), start = seconds(parts[1]);
  return RunInfo{after, start, DataInterval{start, parts[2] == "=" ? after : seconds(parts[2])}};
}

DataInterval expected_interval(const std::string& text) {
  const auto parts = split(text, ',');
  return {seconds(parts[0]), seconds(parts[1])};
}

std::string shown(const std::optional<RunInfo>& run) {
  if (!run) return "none";
  return isoformat({run->run_after}) + " over " + isoformat({run->interval->start}) + " to " +
         isoformat({run->interval->end});
}

void compare(const Timetable& table, const Restriction& restriction, const std::string& steps,
             const std::string& line) {
  std::optional<RunInfo> last;
  for (const std::string& step : split(steps, ' ')) {
    const std::size_t at = step.find_first_of(">?");
    const Micros now = seconds(step.substr(0, at));
    const std::string answer = step.substr(at + 1);
    // An error there: a cron without a time after the next, or before it. Here the next still
    // counts.
    if (answer == "!") continue;
    if (step[at] == '?') {
      EXPECT_TRUE(table.manual_interval(now) == expected_interval(answer)) << step << "\n" << line;
      continue;
    }
    const auto run = table.next(last, restriction, now);
    const auto expected = expected_run(answer);
    EXPECT_TRUE(run == expected) << step << "\n  ours " << shown(run) << "\n  Airflow's "
                                 << shown(expected) << "\n"
                                 << line;
    if (expected) last = expected;
  }
}

TEST(timetable, runs_are_as_airflows_timetables_have_them) {
  const char* const told = std::getenv("TAILRACE_TIMETABLE_VECTORS");
  std::ifstream file(told != nullptr ? told : "src/calendar/testdata/timetables.txt");
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const auto columns = split(line, '\t');
    ASSERT_EQ(columns.size(), 6U) << line;
    const Timetable table = timetable(columns[0], split(columns[1], '|'));
    const auto limits = split(columns[2], ' ');
    compare(table, {maybe(limits[1]), maybe(limits[2]), limits[0] == "yes"}, columns[3], line);
    EXPECT_EQ(table.summary(), columns[4]) << line;
    EXPECT_EQ(table.description(), columns[5]) << line;
    ++compared;
  }
  EXPECT_GE(compared, 400);
}

TEST(timetable, of_several_crons_one_that_has_ended_does_not_end_the_others) {
  CronTrigger trigger = crons({"UTC", "0,0,0", "no", "0 0 * * * 0 2026", "0 12 * * *"});
  const Micros now = parse_moment("2030-01-01T00:00:00")->instant;
  const auto run = Timetable(trigger).next(std::nullopt, {now, std::nullopt, true}, now);
  ASSERT_TRUE(run);
  EXPECT_EQ(isoformat({run->run_after}), "2030-01-01T12:00:00+00:00");
}

TEST(timetable, a_delta_of_nothing_or_less_ends_instead_of_turning_round) {
  const Micros now = 1'774'656'000'000'000;
  const Restriction no_catchup{now - kDay, std::nullopt, false};
  for (const Delta delta :
       {Delta{}, Delta{0, -1, 0, true}, Delta{0, 0, -5, false}, Delta{0, 1, -40 * kDay, true}}) {
    const auto run = Timetable(DeltaInterval{delta}).next(std::nullopt, no_catchup, now);
    if (run) {
      EXPECT_LE(run->interval->end - run->interval->start, 0);
    }
  }
}

TEST(timetable, a_delta_that_is_not_positive_is_told) {
  EXPECT_TRUE(Timetable(DeltaTrigger{{0, 1, 0, true}, {}}).check());
  EXPECT_TRUE(Timetable(DeltaInterval{{0, 0, 1, false}}).check());
  EXPECT_TRUE(Timetable().check());
  EXPECT_EQ(Timetable(DeltaTrigger{}).check().error().what,
            "a schedule's interval must be positive, not 0:00:00");
  EXPECT_FALSE(Timetable(DeltaInterval{{0, -1, 0, true}}).check());
}

TEST(timetable, deltas_are_shown_as_python_shows_them) {
  EXPECT_EQ(delta_text({0, 0, 0, false}), "0:00:00");
  EXPECT_EQ(delta_text({0, 0, kDay + 300'000'000, false}), "1 day, 0:05:00");
  EXPECT_EQ(delta_text({0, 0, -500'000, false}), "-1 day, 23:59:59.500000");
  EXPECT_EQ(delta_text({1, 2, 3 * kDay + 1, true}),
            "relativedelta(years=+1, months=+2, days=+3, microseconds=+1)");
  EXPECT_EQ(delta_text({0, -14, 0, true}), "relativedelta(years=-1, months=-2)");
}

TEST(timetable, a_month_later_is_at_most_the_months_last_day) {
  const Micros january = parse_moment("2026-01-31T12:00:00")->instant;
  EXPECT_EQ(isoformat({*plus(january, {0, 1, 0, true})}), "2026-02-28T12:00:00+00:00");
  EXPECT_EQ(isoformat({*minus(january, {2, 11, 0, true})}), "2023-02-28T12:00:00+00:00");
  EXPECT_FALSE(plus(january, {8000, 0, 0, true}));
}

}  // namespace
}  // namespace tailrace::calendar
