// What may be granted, and sets of it.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace tailrace::cql_roles {

/// In Cassandra's order, which lists are sorted by.
enum class Permission : std::uint8_t {
  kCreate,
  kAlter,
  kDrop,
  kSelect,
  kModify,
  kAuthorize,
  kDescribe,
  kExecute,
  kUnmask,
  kSelectMasked,
};

inline constexpr std::array<std::string_view, 10> kPermissionNames{
    "CREATE",    "ALTER",    "DROP",    "SELECT", "MODIFY",
    "AUTHORIZE", "DESCRIBE", "EXECUTE", "UNMASK", "SELECT_MASKED"};

constexpr std::string_view name_of(Permission permission) {
  return kPermissionNames[static_cast<std::size_t>(permission)];
}
/// As it is kept and written, in capitals.
constexpr std::optional<Permission> permission_of(std::string_view name) {
  for (std::size_t i = 0; i < kPermissionNames.size(); ++i)
    if (kPermissionNames[i] == name) return static_cast<Permission>(i);
  return std::nullopt;
}

class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(std::initializer_list<Permission> permissions) {
    for (const auto one : permissions) add(one);
  }
  static constexpr Permissions all() {
    Permissions made;
    made.bits_ = (1U << kPermissionNames.size()) - 1;
    return made;
  }

  constexpr void add(Permission permission) { bits_ |= bit(permission); }
  constexpr bool has(Permission permission) const { return (bits_ & bit(permission)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool operator==(const Permissions&) const = default;
  friend constexpr Permissions operator&(Permissions a, Permissions b) {
    a.bits_ &= b.bits_;
    return a;
  }
  friend constexpr Permissions operator|(Permissions a, Permissions b) {
    a.bits_ |= b.bits_;
    return a;
  }
  /// Those of `a` that `b` does not have.
  friend constexpr Permissions operator-(Permissions a, Permissions b) {
    a.bits_ &= ~b.bits_;
    return a;
  }

  template <typename Visit>
  constexpr void each(Visit visit) const {
    for (std::size_t i = 0; i < kPermissionNames.size(); ++i)
      if (has(static_cast<Permission>(i))) visit(static_cast<Permission>(i));
  }

 private:
  static constexpr std::uint32_t bit(Permission permission) {
    return 1U << static_cast<unsigned>(permission);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace tailrace::cql_roles
