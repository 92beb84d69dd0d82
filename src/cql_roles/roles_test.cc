// What roles may, by themselves and by the roles they have; the tests of the statements and their
// sentences are tests/cql/role*.cql and permissions.cql, which real Cassandra answered.
#include "cql_roles/roles.h"

#include <gtest/gtest.h>

#include "cql_roles/role_tables.h"
#include "cql_schema/change.h"
#include "cql_store/testing/temporary_store.h"
#include "cql_types/token.h"

namespace tailrace::cql_roles {
namespace {

constexpr std::int64_t kNow = 1'000'000;

/// ann > bea > cid > ann, a circle that only writes to the tables themselves can make.
Roles circle() {
  Roles roles;
  roles.add({.name = "ann", .login = true, .member_of = {"bea"}});
  roles.add({.name = "bea", .member_of = {"cid", "gone"}});
  roles.add({.name = "cid", .member_of = {"ann"}});
  return roles;
}

TEST(Roles, permissions_come_through_roles_of_roles_even_in_a_circle) {
  Roles roles = circle();
  roles.grant("cid", "data/ks", {Permission::kSelect});
  roles.settle();
  EXPECT_EQ(roles.roles_of("ann", true), (std::set<std::string>{"ann", "bea", "cid"}));
  EXPECT_EQ(roles.roles_of("ann", false), (std::set<std::string>{"ann", "bea"}));
  EXPECT_TRUE(roles.may("ann", Permission::kSelect, Resource::table("ks", "t")));
  EXPECT_FALSE(roles.may("ann", Permission::kModify, Resource::table("ks", "t")));
  EXPECT_FALSE(roles.may("ann", Permission::kSelect, Resource::table("ks2", "t")));
  EXPECT_FALSE(roles.may("nobody", Permission::kSelect, Resource::table("ks", "t")));
}

TEST(Roles, a_table_asked_for_by_name_is_answered_as_its_resource) {
  const std::vector<std::string> keys{"data",   "data/ks",    "data/ks/*",       "data/ks/t",
                                      "data/k", "data/ks/t2", "data/system_auth"};
  for (const auto& key : keys) {
    Roles roles = circle();
    roles.grant("bea", key, {Permission::kSelect, Permission::kModify});
    roles.settle();
    for (const std::string keyspace : {"k", "ks", "system_auth", "system"})
      for (const std::string table : {"t", "t2", "roles"}) {
        const auto resource = Resource::table(keyspace, table);
        EXPECT_EQ(roles.may_on_table("ann", Permission::kModify, keyspace, table),
                  roles.may("ann", Permission::kModify, resource))
            << key << ' ' << resource.text();
      }
  }
}

TEST(Roles, all_keyspaces_are_not_the_servers_own_but_for_a_superuser) {
  Roles roles = circle();
  roles.grant("ann", "data", Permissions::all());
  roles.settle();
  EXPECT_TRUE(roles.may("ann", Permission::kModify, Resource::table("ks", "t")));
  EXPECT_FALSE(roles.may("ann", Permission::kModify, Resource::table("system_auth", "roles")));
  roles.add({.name = "cid", .superuser = true});
  roles.settle();
  EXPECT_TRUE(roles.is_superuser("ann"));
  EXPECT_TRUE(roles.may("ann", Permission::kModify, Resource::table("system_auth", "roles")));
}

TEST(Roles, every_resource_is_found_again_by_the_name_it_is_kept_by) {
  using Kind = Resource::Kind;
  const std::vector<Resource> all{Resource::all_keyspaces(),
                                  Resource::of_keyspace("ks"),
                                  Resource::all_tables("ks"),
                                  Resource::table("ks", "T 1"),
                                  Resource::all_roles(),
                                  Resource::role("a/b [c]"),
                                  {Kind::kAllFunctions},
                                  Resource::functions_of("ks"),
                                  {Kind::kFunction, "ks", "f(int, frozen<list<text>>)"},
                                  {Kind::kAllBeans},
                                  {Kind::kBean, "", "a:b=c/d"}};
  for (const auto& one : all) {
    const auto found = Resource::of_key(one.key());
    ASSERT_TRUE(found) << one.text();
    EXPECT_EQ(found->text(), one.text());
    EXPECT_EQ(found->kind, one.kind);
  }
  for (const char* none : {"", "x", "dat", "datax/y", "rolesx"})
    EXPECT_FALSE(Resource::of_key(none)) << none;
}

class RoleTables : public testing::Test {
 protected:
  template <typename Change>
  void write(const Change& change) {
    cql_store::Mutation mutation;
    RoleWriter writer(mutation, *schema_, ++time_, kNow);
    change(writer);
    ASSERT_TRUE(folder_.commit(std::move(mutation)).has_value());
  }
  ReadRoles read(std::int64_t now = kNow) {
    auto made = read_roles(*folder_.store->snapshot(), *schema_, now);
    CHECK(made.has_value());
    return std::move(*made);
  }

  cql_store::TemporaryStore folder_;
  cql_schema::SchemaPtr schema_ = cql_schema::initial_schema();
  std::int64_t time_ = 0;
};

TEST_F(RoleTables, what_was_written_is_read_back_from_disk) {
  write([](RoleWriter& writer) {
    writer.create("ann", {.superuser = true, .login = true, .salted_hash = "hash"});
    writer.create("bea", {});
    writer.add_member("bea", "ann");
    writer.grant("bea", "data/ks/t", {Permission::kSelect, Permission::kSelectMasked});
    writer.add_identity("id", "ann");
  });
  write([](RoleWriter& writer) { writer.alter("ann", {.superuser = false}); });
  folder_.reopen();
  const Roles roles = read().roles;
  ASSERT_EQ(roles.all().size(), 2U);
  const Role* ann = roles.find("ann");
  EXPECT_FALSE(ann->superuser);
  EXPECT_TRUE(ann->login);
  EXPECT_EQ(ann->salted_hash, "hash");
  EXPECT_EQ(ann->member_of, std::set<std::string>{"bea"});
  EXPECT_FALSE(roles.find("bea")->login);
  EXPECT_TRUE(roles.may_on_table("ann", Permission::kSelect, "ks", "t"));
  EXPECT_EQ(roles.identities().at("id"), "ann");
}

TEST_F(RoleTables, a_role_made_again_has_nothing_of_the_one_before) {
  write([](RoleWriter& writer) {
    writer.create("ann", {.login = true, .salted_hash = "hash"});
    writer.create("bea", {});
    writer.add_member("bea", "ann");
    writer.grant("ann", "data/ks", {Permission::kSelect});
    writer.grant("bea", Resource::role("ann").key(), {Permission::kDrop});
    writer.add_identity("id", "ann");
  });
  write([this](RoleWriter& writer) { writer.drop("ann", read().roles); });
  write([](RoleWriter& writer) { writer.create("ann", {}); });
  const Roles roles = read().roles;
  EXPECT_EQ(roles.find("ann")->salted_hash, "");
  EXPECT_FALSE(roles.find("ann")->login);
  EXPECT_TRUE(roles.find("ann")->member_of.empty());
  EXPECT_TRUE(roles.grants().empty());
  EXPECT_TRUE(roles.identities().empty());
}

TEST_F(RoleTables, permissions_that_are_left_go_with_their_resource) {
  write([](RoleWriter& writer) {
    writer.create("ann", {});
    writer.grant("ann", "data/ks/t", {Permission::kSelect, Permission::kModify});
  });
  write([](RoleWriter& writer) {
    writer.revoke("ann", "data/ks/t", {Permission::kSelect}, {Permission::kModify});
  });
  EXPECT_TRUE(read().roles.may_on_table("ann", Permission::kModify, "ks", "t"));
  write([this](RoleWriter& writer) { writer.revoke_all_on("data/ks/t", read().roles); });
  EXPECT_TRUE(read().roles.grants().empty());
}

TEST_F(RoleTables, what_expires_is_told) {
  EXPECT_EQ(read().expires, std::numeric_limits<std::int64_t>::max());
  const auto table = schema_->table(kAuthKeyspace, "roles");
  cql_store::Mutation mutation;
  mutation.row(table->number.value, {cql_types::murmur3_token("ann"), "ann"}, {});
  mutation.liveness({1, 60, kNow + 60});
  ASSERT_TRUE(folder_.commit(std::move(mutation)).has_value());
  EXPECT_EQ(read().expires, kNow + 60);
  EXPECT_NE(read().roles.find("ann"), nullptr);
  EXPECT_EQ(read(kNow + 60).roles.find("ann"), nullptr);
}

}  // namespace
}  // namespace tailrace::cql_roles
