// Rules at work: looks at a project and says what each rule sees.
//
// Hops and runs are looked at in each round, queries and anomalies when their `every` is over. What
// a rule must know after a restart (runs that were told of, how long a hop has been empty, a
// season's model) is its note: it goes with what the rule says into one transaction of the store.
//
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerts/sight.h"
#include "alerts/states.h"

namespace tailrace::alerts {

/// What a rule says in one round.
struct Said {
  const RuleSpec* rule = nullptr;
  std::vector<Seen> seen = {};       ///< everything that is so now
  std::vector<Labels> unknown = {};  ///< of these it can say nothing: they stay as they are
  std::vector<Seen> happened = {};   ///< told as notices, in their order
  bool states = true;                ///< false: only `happened`
  std::string note = {};             ///< empty: as it was
};

/// What a rule could not do, to be shown; empty: nothing is wrong.
using Trouble = std::map<std::string, std::string>;

/// One rule at work.
class Watch {
 public:
  virtual ~Watch() = default;
  /// Adds what the rule says, if it says anything in this round.
  virtual Status look(Ms now, const std::vector<pipeline::Hop>& hops, std::vector<Said>& said) = 0;
  virtual bool wants_hops() const { return false; }
};

/// `note`: what it left; empty: it is new. `project`: the folder, for commands.
std::unique_ptr<Watch> make_hop_watch(const RuleSpec& rule, const std::string& project,
                                      const std::string& note);
std::unique_ptr<Watch> make_expectation_watch(const RuleSpec& rule, Sight& sight,
                                              const std::string& project);
std::unique_ptr<Watch> make_contract_watch(const RuleSpec& rule, Sight& sight,
                                           const std::string& project);
std::unique_ptr<Watch> make_query_watch(const RuleSpec& rule, Sight& sight,
                                        const std::string& project);
std::unique_ptr<Watch> make_run_watch(const RuleSpec& rule, Sight& sight,
                                      const std::string& project, const std::string& note);
std::unique_ptr<Watch> make_anomaly_watch(const RuleSpec& rule, Sight& sight,
                                          const std::string& project, const std::string& note);

class Observer {
 public:
  /// `note`: what a rule left.
  Observer(const Settings& settings, const std::function<bool(const RuleSpec&)>& wanted,
           Sight& sight, const std::string& project,
           const std::function<std::string(const std::string& rule)>& note);

  bool empty() const { return watches_.empty(); }
  std::vector<Said> look(Ms now);
  /// Of the last round.
  const Trouble& trouble() const { return trouble_; }

 private:
  Sight& sight_;
  std::vector<std::pair<const RuleSpec*, std::unique_ptr<Watch>>> watches_;
  bool wants_hops_ = false;
  Trouble trouble_;
};

/// Whether a name fits a pattern in which * is any text.
bool fits_glob(std::string_view pattern, std::string_view name);

/// kInvalidArgument: a rule names a hop, an expectation, a contract's rule or a DAG that is not
/// there.
Status check_subjects(const Settings& settings, Sight& sight);

}  // namespace tailrace::alerts
