// Crons against croniter as Airflow walks it: testdata/crons.txt
// (tests/real/airflow/cron_vectors.py says its format), and what stands in no oracle.
#include "calendar/cron.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

#include "calendar/testing/zones.h"

namespace tailrace::calendar {
namespace {

struct Zoned {
  Zone zone;
  std::vector<Micros> starts;
};

struct Vectors {
  int runs = 0;
  std::vector<Zoned> zones;
  std::vector<std::string> refused;
  std::vector<std::pair<std::string, std::vector<std::string>>> crons;
};

std::string vectors_file() {
  const char* const told = std::getenv("TAILRACE_CRON_VECTORS");
  return told != nullptr ? told : "src/calendar/testdata/crons.txt";
}

Vectors read_vectors() {
  Vectors vectors;
  std::ifstream file(vectors_file());
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind, word;
    words >> kind;
    if (kind == "runs") words >> vectors.runs;
    if (kind == "zone") {
      words >> word;
      Zoned& zoned = vectors.zones.emplace_back(testing::zone(word));
      for (Micros start = 0; words >> start;) zoned.starts.push_back(start);
    }
    if (kind == "refused") vectors.refused.push_back(line.substr(8));
    if (kind == "cron") {
      const std::size_t tab = line.rfind('\t');
      auto& [expression, digests] =
          vectors.crons.emplace_back(line.substr(5, tab - 5), std::vector<std::string>{});
      for (std::istringstream rest(line.substr(tab + 1)); rest >> word;) digests.push_back(word);
    }
  }
  return vectors;
}

/// The digest of `runs` times forward and a tenth of them back.
std::string digest(const Cron& cron, const Zone& zone, Micros start, int runs) {
  constexpr std::uint64_t kFactor = 6364136223846793005;
  std::uint64_t value = 0;
  for (const bool back : {false, true}) {
    std::uint64_t count = 0;
    Micros at = start;
    for (int i = 0; i < (back ? runs / 10 : runs); ++i) {
      const auto found = back ? cron.previous(at, zone) : cron.next(at, zone);
      if (!found) break;
      at = *found;
      value = value * kFactor + static_cast<std::uint64_t>(at);
      ++count;
    }
    value = value * kFactor + count;
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(value >> 32));
  return text;
}

TEST(cron, next_and_previous_times_are_as_airflow_walks_croniter) {
  const Vectors vectors = read_vectors();
  ASSERT_GE(vectors.crons.size(), 500U);
  ASSERT_GE(vectors.zones.size(), 13U);
  int compared = 0;
  for (std::size_t i = 0; i < vectors.crons.size(); ++i) {
    const auto& [expression, digests] = vectors.crons[i];
    const auto cron = Cron::parse(expression);
    ASSERT_TRUE(cron) << expression << ": " << cron.error().what;
    ASSERT_EQ(digests.size(), vectors.zones.size()) << expression;
    for (std::size_t z = 0; z < digests.size(); ++z) {
      const auto& [zone, starts] = vectors.zones[z];
      const Micros start = starts[(i + z) % starts.size()];
      EXPECT_EQ(digest(*cron, zone, start, vectors.runs), digests[z])
          << expression << " in " << zone.name() << " from " << start;
      ++compared;
    }
  }
  EXPECT_GE(compared, 6000);
}

TEST(cron, what_croniter_refuses_is_refused_with_the_field_and_what_it_takes) {
  const Vectors vectors = read_vectors();
  ASSERT_GE(vectors.refused.size(), 90U);
  for (const std::string& expression : vectors.refused) {
    const auto cron = Cron::parse(expression);
    ASSERT_FALSE(cron) << expression;
    EXPECT_EQ(cron.error().code, Code::kInvalidArgument);
  }
  EXPECT_EQ(Cron::parse("0 25 * * *").error().what, "cron: \"25\" in hours \"25\": they take 0-23");
  EXPECT_EQ(Cron::parse("0 0 * * fri,lfri").error().what,
            "cron: \"lfri\" in days of the week \"fri,lfri\": they take 0-7 or sun-sat, # and the "
            "week, or L and a day");
}

TEST(cron, airflows_presets_are_shown_as_the_fields_they_stand_for) {
  EXPECT_EQ(Cron::parse("@quarterly")->expression(), "0 0 1 */3 *");
  EXPECT_EQ(Cron::parse("@Midnight")->expression(), "@Midnight");
  EXPECT_EQ(Cron::parse("0 0 * * MON")->expression(), "0 0 * * MON");
}

TEST(cron, descriptions_are_airflows) {
  const char* const told = std::getenv("TAILRACE_DESCRIPTION_VECTORS");
  std::ifstream file(told != nullptr ? told : "src/calendar/testdata/descriptions.txt");
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const auto cron = Cron::parse(line.substr(0, tab));
    ASSERT_TRUE(cron) << line;
    EXPECT_EQ(cron->description(), line.substr(tab + 1)) << line.substr(0, tab);
    ++compared;
  }
  EXPECT_GE(compared, 600);
}

/// A century of days is walked within the time of a few of croniter's steps: were each step a walk
/// through the minutes, this would take minutes.
TEST(cron, a_cron_that_never_comes_ends) {
  for (const char* const expression : {"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 1 1 * 0 2020"}) {
    const auto cron = Cron::parse(expression);
    ASSERT_TRUE(cron) << expression;
    EXPECT_FALSE(cron->next(1'780'000'000'000'000, Zone::utc())) << expression;
  }
  EXPECT_FALSE(Cron::parse("0 0 30 2 *")->previous(1'780'000'000'000'000, Zone::utc()));
}

TEST(cron, no_text_breaks_the_reader_and_next_is_later_by_the_wall_clock) {
  std::mt19937 random(20);
  const std::string letters = "0123456789*/-,#?lLwW jansunfrih@\t";
  const Zone zone = testing::zone("Australia/Lord_Howe");
  int taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    if (i % 2 == 0) {
      for (std::size_t length = random() % 24; text.size() < length;)
        text += letters[random() % letters.size()];
    } else {
      text = "1-7/2 */3 l,15 mar-oct mon#2";
      for (int edits = 0; edits < 1 + i / 2 % 3; ++edits)
        text[random() % text.size()] = letters[random() % letters.size()];
    }
    const auto cron = Cron::parse(text);
    if (!cron) continue;
    ++taken;
    const Micros start = 1'775'300'000'000'000 + static_cast<Micros>(random()) * 1000;
    const auto found = cron->next(start, zone);
    if (found) {
      EXPECT_GT(*found, start) << text;
    }
  }
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace tailrace::calendar
