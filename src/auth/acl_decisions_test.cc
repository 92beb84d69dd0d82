// Random rules and actions, decided as Kafka's own StandardAuthorizer decided them
// (tests/real/kafka_acls/Decisions.java wrote testdata/decisions.txt).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "auth/acl.h"

namespace tailrace::auth {
namespace {

TEST(Acls, thousands_of_actions_are_decided_as_kafka_decides_them) {
  std::ifstream file("src/auth/testdata/decisions.txt");
  ASSERT_TRUE(file);
  Acls acls;
  int decisions = 0;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::string kind;
    int type = 0, pattern = 0, operation = 0, last = 0;
    std::string name, principal, host;
    words >> kind >> type;
    if (kind == "set") {
      acls = Acls(type == 1);
    } else if (kind == "rule") {
      words >> pattern >> name >> principal >> host >> operation >> last;
      acls.add({static_cast<Resource>(type), static_cast<Pattern>(pattern), name, principal, host,
                static_cast<Operation>(operation), static_cast<Permission>(last)});
    } else {
      if (kind == "action") words >> name;
      words >> principal >> host >> operation >> last;
      const Action action{principal, host, static_cast<Operation>(operation),
                          static_cast<Resource>(type), name};
      const bool allowed = kind == "some" ? acls.allows_on_some(action) : acls.allows(action);
      EXPECT_EQ(allowed, last == 1) << "line " << number << ": " << line;
      ++decisions;
    }
    ASSERT_TRUE(words) << line;
  }
  EXPECT_GT(decisions, 3000);
}

}  // namespace
}  // namespace tailrace::auth
