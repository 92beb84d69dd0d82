// The signatures of spec/airflow_operators.yml.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/check.h"
#include "dags/read.h"

extern "C" const char dags_airflow_operators_begin[];
extern "C" const char dags_airflow_operators_end[];

namespace tailrace::dags {
namespace {

class AirflowOperators final : public Operators {
 public:
  AirflowOperators() {
    const YAML::Node spec =
        YAML::Load(std::string(dags_airflow_operators_begin, dags_airflow_operators_end));
    const std::vector<std::string> base = words(spec["base"]);
    for (const char* section : {"operators", "decorators"})
      for (const auto& entry : spec[section]) add(entry, base, section[0] == 'd');
  }
  const Signature* find(std::string_view path) const override {
    const auto found = places_.find(path);
    return found == places_.end() ? nullptr : &signatures_[found->second];
  }
  std::vector<std::string> paths() const override {
    std::vector<std::string> all;
    for (const Signature& signature : signatures_) all.push_back(signature.path);
    return all;
  }

 private:
  static std::vector<std::string> words(const YAML::Node& list) {
    std::vector<std::string> all;
    for (const auto& word : list) all.push_back(word.Scalar());
    return all;
  }
  template <typename Entry>
  void add(const Entry& entry, const std::vector<std::string>& base, bool decorator) {
    Signature made;
    made.path = entry.first.Scalar();
    made.aliases = words(entry.second["aliases"]);
    made.arguments = words(entry.second["arguments"]);
    made.required = words(entry.second["required"]);
    made.template_fields = words(entry.second["templates"]);
    made.template_files = words(entry.second["files"]);
    made.kinds = words(entry.second["kinds"]);
    made.decorator = decorator;
    made.arguments.insert(made.arguments.end(), base.begin(), base.end());
    for (const std::string& alias : made.aliases) places_[alias] = signatures_.size();
    places_[made.path] = signatures_.size();
    signatures_.push_back(std::move(made));
  }

  std::vector<Signature> signatures_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

class OperatorsOfAnAirflow final : public Operators {
 public:
  OperatorsOfAnAirflow() {
    // What BaseOperator takes is what EmptyOperator does.
    task_ = *airflow_operators().find("airflow.providers.standard.operators.empty.EmptyOperator");
    task_.path.clear();
    task_.aliases.clear();
    task_.any_arguments = true;
    decorator_ = task_;
    decorator_.decorator = true;
  }
  const Signature* find(std::string_view path) const override {
    return airflow_operators().find(path);
  }
  std::vector<std::string> paths() const override { return airflow_operators().paths(); }
  const Signature* stand_in(bool decorator) const override {
    return decorator ? &decorator_ : &task_;
  }

 private:
  Signature task_, decorator_;
};

}  // namespace

bool Operators::runs(const std::string&) const {
  return true;
}

bool Operators::ignores(std::string_view) const {
  return false;
}

const Operators::Signature* Operators::stand_in(bool) const {
  return nullptr;
}

bool Operators::Signature::is(std::string_view kind) const {
  return std::ranges::find(kinds, kind) != kinds.end();
}

const Operators& airflow_operators() {
  static const AirflowOperators operators;
  return operators;
}

const Operators& operators_of_an_airflow() {
  static const OperatorsOfAnAirflow operators;
  return operators;
}

}  // namespace tailrace::dags
