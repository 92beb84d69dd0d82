// The domain rules of a schema that say which records are good: kind CONDITION, type CEL (one
// expression about `message`) and CEL_FIELD (one about each field's `value`), evaluated where
// records are written and read.
//
// As Confluent's clients do: what is before a `;` is a guard, and the rule holds where the guard is
// not true; a rule is broken by false and by an error; rules are asked in their order, on reading
// from the last; onFailure NONE lets the record pass, ERROR (the default) and DLQ do not, and
// "A,B" is A on writing and B on reading. Choices of our own: matches() looks anywhere in the text,
// as the CEL specification and Confluent's Go and Python clients have it, where the Java client's
// wants all of it; times and decimals are CEL's timestamps and doubles, not the numbers that are
// encoded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "columns/types.h"
#include "schema/cel/program.h"
#include "subjects/entities.h"

namespace tailrace::subjects {

/// One thread at a time.
class RecordRules {
 public:
  enum class When { kWrite, kRead };

  RecordRules() = default;
  /// `message` is the STRUCT of a record's columns; null when a record may be anything (JSON).
  static RecordRules make(const std::optional<RuleSet>& rules, When when, const Type& message);

  /// Nothing is evaluated.
  bool empty() const { return rules_.empty(); }
  /// A sentence for each rule that is kept and not evaluated, with the reason.
  const std::vector<std::string>& kept() const { return kept_; }

  /// Why the record may not pass: "rule NAME: …"; nullopt when it may.
  std::optional<std::string> broken(const schema::cel::Value& message);

 private:
  struct Compiled {
    std::string name, expr;
    bool each_field = false;
    bool passes = false;  ///< onFailure NONE
    std::optional<schema::cel::Program> guard = {};
    schema::cel::Program body;
  };
  static Result<Compiled> compile(const Rule& rule, When when, const Type& message);
  /// Why the rule is broken; nullopt when it holds.
  static std::optional<std::string> fault(Compiled& rule, const schema::cel::Value& message);
  static std::optional<std::string> field_fault(Compiled& rule, const std::string& name,
                                                const schema::cel::Value& value,
                                                const schema::cel::Value& message);

  std::vector<Compiled> rules_;
  std::vector<std::string> kept_;
};

}  // namespace tailrace::subjects
