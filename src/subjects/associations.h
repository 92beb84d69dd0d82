// Which subject a resource (a topic, by name and id) keeps the schemas of its keys or values in,
// said by clients of a registry rather than by a naming strategy. Pure.
//
// A STRONG association belongs to its resource alone: its subject has the default name
// ":.NAMESPACE:RESOURCE-key|value", takes no other association and no references, and never changes
// (it is frozen). A WEAK one points at a subject that others may use, too. All associations of a
// resource are of one kind.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace tailrace::subjects {

struct Association {
  std::string guid;
  std::string resource_name, resource_namespace, resource_id, resource_type;
  std::string type;     ///< "key" or "value"
  std::string subject;  ///< qualified
  bool strong = false, frozen = false;
  std::int64_t created_ms = 0, updated_ms = 0;  ///< of the first and the last record

  /// What one record of it replaces another by, in the order in which lists show them: resource's
  /// name, namespace, type, the association's type, subject.
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  Key key() const { return {resource_name, resource_namespace, resource_type, type, subject}; }
};

/// "STRONG" or "WEAK".
std::string_view lifecycle_name(bool strong);
std::optional<bool> is_strong(std::string_view lifecycle);

/// Which associations are meant; what is absent or empty means any.
struct AssociationFilter {
  std::optional<std::string> resource_type = {};
  std::vector<std::string> types = {};
  std::optional<bool> strong = {};
};

/// All that there are. Lists are in the order of keys.
class Associations {
 public:
  void put(Association association);
  void drop(const Association::Key& key);

  std::vector<Association> of_subject(const std::string& subject,
                                      const AssociationFilter& filter) const;
  std::vector<Association> of_resource(const std::string& resource_id,
                                       const AssociationFilter& filter) const;
  /// "-" stands for any name, and for any namespace.
  std::vector<Association> named(const std::string& name, const std::string& name_space,
                                 const AssociationFilter& filter) const;

 private:
  using Index = std::map<std::string, std::set<Association::Key>, std::less<>>;
  std::vector<Association> listed(const Index& index, const std::string& name,
                                  const AssociationFilter& filter) const;

  std::map<Association::Key, Association> all_;
  Index by_subject_, by_resource_;
};

/// Those of the one resource that was changed last, where several have a name.
std::vector<Association> of_latest_resource(std::vector<Association> associations);

}  // namespace tailrace::subjects
