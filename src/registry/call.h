// A request to the registry, with its path read: the context taken off, names in the forms that
// subjects::Registry takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"
#include "schema/json.h"
#include "subjects/registry.h"

namespace tailrace::registry {

class Call {
 public:
  Call(subjects::Registry& registry, const net::Request& request);

  subjects::Registry& registry() const { return registry_; }
  const std::string& body() const { return request_.body; }
  const std::string& method() const { return request_.method; }
  /// Without the context's part and a slash at the end.
  const std::vector<std::string>& path() const { return path_; }
  /// Why the path cannot be meant; 400.
  const std::optional<subjects::Refusal>& refusal() const { return refusal_; }

  /// The name at a place of the path, in its context.
  std::string subject_at(std::size_t place) const;
  /// The same where an alias counts.
  std::string aliased_subject_at(std::size_t place) const;
  /// Whose config or mode is meant; absent: all of it.
  subjects::Scope scope_at(std::size_t place) const;
  /// "latest" and -1 are -1; 42202.
  subjects::Answer<int> version_at(std::size_t place) const;
  /// 404 where Java's server finds no number.
  subjects::Answer<int> number_at(std::size_t place) const;

  bool flag(std::string_view name) const;
  std::string param(std::string_view name) const { return request_.param(name).value_or(""); }
  std::vector<std::string> params(const std::string& name) const { return request_.params(name); }
  /// The parameter `subject` of a request by id.
  std::string subject_param() const;
  /// The path's context, or that of the parameter `context`: ":.eu:", "" for the default one.
  std::string context_param() const;
  /// The parameter `subjectPrefix`; `otherwise` where there is none and no context.
  std::string prefix_param(std::string_view otherwise) const;
  bool shows_deleted() const { return flag("deleted"); }
  subjects::Show show() const;
  /// The page that `offset` and `limit` ask for; `most` when no limit is given.
  template <typename T>
  std::vector<T> page(std::vector<T> all, std::size_t most = SIZE_MAX) const {
    const std::size_t from = std::min(all.size(), whole_param("offset").value_or(0));
    std::size_t size = whole_param("limit").value_or(0);
    if (size == 0 || size > most) size = most;
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
    if (all.size() > size) all.erase(all.begin() + static_cast<std::ptrdiff_t>(size), all.end());
    return all;
  }

 private:
  std::optional<std::size_t> whole_param(std::string_view name) const;
  std::string in_context(const std::string& name) const;

  subjects::Registry& registry_;
  const net::Request& request_;
  std::vector<std::string> path_;
  std::string context_;  ///< ":.eu:", or "" for the default one
  std::optional<subjects::Refusal> refusal_;
};

}  // namespace tailrace::registry
