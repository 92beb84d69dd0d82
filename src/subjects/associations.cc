// Associations by their keys, with the two indexes that requests ask.
#include "subjects/associations.h"

#include <algorithm>

namespace tailrace::subjects {
namespace {

constexpr std::string_view kAny = "-";

bool passes(const Association& one, const AssociationFilter& filter) {
  if (filter.resource_type && *filter.resource_type != one.resource_type) return false;
  if (filter.strong && *filter.strong != one.strong) return false;
  return filter.types.empty() || std::ranges::find(filter.types, one.type) != filter.types.end();
}

}  // namespace

std::string_view lifecycle_name(bool strong) {
  return strong ? "STRONG" : "WEAK";
}

std::optional<bool> is_strong(std::string_view lifecycle) {
  if (lifecycle == "STRONG") return true;
  if (lifecycle == "WEAK") return false;
  return std::nullopt;
}

void Associations::put(Association association) {
  const Association::Key key = association.key();
  if (const auto known = all_.find(key); known != all_.end()) {
    association.created_ms = known->second.created_ms;
    drop(key);
  }
  by_subject_[association.subject].insert(key);
  by_resource_[association.resource_id].insert(key);
  all_.emplace(key, std::move(association));
}

void Associations::drop(const Association::Key& key) {
  const auto known = all_.find(key);
  if (known == all_.end()) return;
  const auto forget = [&](Index& index, const std::string& name) {
    const auto keys = index.find(name);
    keys->second.erase(key);
    if (keys->second.empty()) index.erase(keys);
  };
  forget(by_subject_, known->second.subject);
  forget(by_resource_, known->second.resource_id);
  all_.erase(known);
}

std::vector<Association> Associations::listed(const Index& index, const std::string& name,
                                              const AssociationFilter& filter) const {
  std::vector<Association> out;
  const auto keys = index.find(name);
  if (keys == index.end()) return out;
  for (const Association::Key& key : keys->second)
    if (const Association& one = all_.at(key); passes(one, filter)) out.push_back(one);
  return out;
}

std::vector<Association> Associations::of_subject(const std::string& subject,
                                                  const AssociationFilter& filter) const {
  return listed(by_subject_, subject, filter);
}

std::vector<Association> Associations::of_resource(const std::string& resource_id,
                                                   const AssociationFilter& filter) const {
  return listed(by_resource_, resource_id, filter);
}

std::vector<Association> Associations::named(const std::string& name, const std::string& name_space,
                                             const AssociationFilter& filter) const {
  std::vector<Association> out;
  for (auto at = name == kAny ? all_.begin() : all_.lower_bound({name, "", "", "", ""});
       at != all_.end(); ++at) {
    const Association& one = at->second;
    if (name != kAny && one.resource_name != name) break;
    if (name_space != kAny && one.resource_namespace != name_space) continue;
    if (passes(one, filter)) out.push_back(one);
  }
  return out;
}

std::vector<Association> of_latest_resource(std::vector<Association> associations) {
  const auto recency = [](const Association& one) {
    return std::tuple(one.updated_ms, one.created_ms, one.resource_id);
  };
  const auto latest = std::ranges::max_element(associations, {}, recency);
  if (latest == associations.end()) return associations;
  const std::string id = latest->resource_id;
  std::erase_if(associations, [&](const Association& one) { return one.resource_id != id; });
  return associations;
}

}  // namespace tailrace::subjects
