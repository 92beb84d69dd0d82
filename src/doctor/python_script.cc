#include "doctor/python_script.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "doctor/python_tree.h"

namespace tailrace::doctor {
namespace {

using Kind = Expression::Kind;

constexpr int kMaxCalls = 8;
constexpr int kMaxSteps = 200'000;

struct Dict;

/// What is known of a value.
struct Value {
  enum class Kind {
    kUnknown,
    kText,
    kResponse,
    kJson,
    kDict,
    kList,
    kUuid,
    kMoment,
    kSql,
    kDumped
  };
  Kind kind = Kind::kUnknown;
  std::string text = {};                             ///< kText; the SQL of kSql
  int line = 0;                                      ///< where it was written
  std::string url = {}, records = {};                ///< kResponse, kJson, and what came of them
  std::vector<std::string> path = {};                ///< kJson: into the record
  std::vector<std::vector<std::string>> paths = {};  ///< kSql
  std::shared_ptr<Dict> dict = {};                   ///< kDict, kDumped of one
  std::vector<Value> items = {};                     ///< kList
};

struct Dict {
  std::vector<std::pair<Site, Value>> members;

  void set(const Site& key, const Value& value) {
    for (auto& [name, old] : members)
      if (name.text == key.text) {
        name.line = key.line;
        old = value;
        return;
      }
    members.emplace_back(key, value);
  }
};

using Names = std::map<std::string, Value>;

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string column(const std::string& name) {
  const bool plain =
      !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
      std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return plain ? name : "`" + name + "`";
}

std::string sql_of(const Value& value) {
  if (value.kind == Value::Kind::kText) return quoted(value.text);
  if (value.kind == Value::Kind::kSql) return value.text;
  if (value.kind == Value::Kind::kUuid) return "md5(value)";
  if (value.kind == Value::Kind::kMoment) return "CAST(timestamp AS STRING)";
  if (value.kind != Value::Kind::kJson || value.path.empty()) return {};
  std::string out = "r";
  for (const std::string& step : value.path) out += "." + column(step);
  return out;
}

std::vector<std::vector<std::string>> paths_of(const Value& value) {
  if (value.kind == Value::Kind::kJson && !value.path.empty()) return {value.path};
  return value.paths;
}

bool ends_with_call(const std::string& name, std::string_view last) {
  return name == last || name.ends_with("." + std::string(last));
}

class Reader {
 public:
  Reader(Script& script, const std::map<std::string, std::string>& environment)
      : script_(script), environment_(environment) {}

  void read(const std::vector<Statement>& module) {
    collect(module);
    run(module, globals_);
    for (auto one = order_.rbegin(); one != order_.rend(); ++one)
      if (!called_.contains((*one)->name)) call(**one, {}, {});
    for (const Dumped& one : dumped_)
      if (!one.has_default) trouble(one.value);
  }

 private:
  struct Dumped {
    Value value;
    bool has_default;
  };

  void collect(const std::vector<Statement>& block) {
    for (const Statement& one : block) {
      if (one.kind == Statement::Kind::kFunction) {
        functions_[one.name] = &one;
        order_.push_back(&one);
        if (one.parameters == std::vector<std::string>{"event", "context"})
          script_.handlers.try_emplace(one.name, one.line);
      }
      collect(one.body);
    }
  }

  Value call(const Statement& function, const std::vector<Value>& given,
             const std::vector<std::string>& names) {
    called_.insert(function.name);
    if (++calls_ > kMaxCalls) {
      --calls_;
      return {};
    }
    Names local = globals_;
    std::size_t position = 0;
    for (const std::string& parameter : function.parameters) local[parameter] = {};
    for (std::size_t i = 0; i < given.size(); ++i) {
      const bool named = i < names.size() && !names[i].empty();
      if (named)
        local[names[i]] = given[i];
      else if (position < function.parameters.size())
        local[function.parameters[position++]] = given[i];
    }
    Value result = run(function.body, local);
    --calls_;
    return result;
  }

  /// The first value that is returned and known.
  Value run(const std::vector<Statement>& block, Names& names) {
    Value result;
    for (const Statement& one : block) {
      if (++steps_ > kMaxSteps) return result;
      Value returned;
      switch (one.kind) {
        case Statement::Kind::kFunction:
          if (&one != block.data()) decorated((&one)[-1], one.name, names);
          continue;
        case Statement::Kind::kImport:
          script_.modules.try_emplace(one.name, one.line);
          continue;
        case Statement::Kind::kAssign:
          assign(one, names);
          continue;
        case Statement::Kind::kReturn:
          if (!one.expressions.empty()) returned = value(one.expressions[0], names);
          break;
        case Statement::Kind::kFor:
          loop(one, names);
          break;
        default:
          for (const Expression& expression : one.expressions) value(expression, names);
      }
      if (one.kind != Statement::Kind::kReturn) returned = run(one.body, names);
      if (result.kind == Value::Kind::kUnknown) result = returned;
    }
    return result;
  }

  void loop(const Statement& one, Names& names) {
    if (one.expressions.size() < 2) return;
    Value over = value(one.expressions[1], names);
    if (one.expressions[0].kind != Kind::kName) return;
    if (over.kind == Value::Kind::kJson)
      over = element(over);
    else if (over.kind == Value::Kind::kList && !over.items.empty())
      over = Value(over.items[0]);
    else
      over = {};
    names[one.expressions[0].text] = over;
  }

  static Value element(Value list) {
    list.records = "$";
    for (const std::string& step : list.path) list.records += "." + step;
    list.path.clear();
    return list;
  }

  void assign(const Statement& one, Names& names) {
    const Value given = value(one.expressions.back(), names);
    for (std::size_t i = 0; i + 1 < one.expressions.size(); ++i) {
      const Expression& target = one.expressions[i];
      if (target.kind == Kind::kName) {
        names[target.text] = given;
      } else if (target.kind == Kind::kIndex) {
        const Value base = value(target.parts[0], names), key = value(target.parts[1], names);
        if (base.kind == Value::Kind::kDict && key.kind == Value::Kind::kText)
          base.dict->set({key.text, target.line}, given);
      }
    }
  }

  Value value(const Expression& expression, Names& names) {
    if (++steps_ > kMaxSteps) return {};
    switch (expression.kind) {
      case Kind::kText:
        if (expression.parts.empty()) note(script_.texts, {expression.text, expression.line});
        for (const Expression& part : expression.parts) note(script_.texts, {part.text, part.line});
        return {.kind = Value::Kind::kText, .text = expression.text, .line = expression.line};
      case Kind::kName: {
        const auto found = names.find(expression.text);
        return found == names.end() ? Value{} : found->second;
      }
      case Kind::kFormat:
        return joined(expression.parts, names, expression.line);
      case Kind::kAttribute:
        return attribute(expression, names);
      case Kind::kIndex:
        return index(expression, names);
      case Kind::kCall:
        return called(expression, names);
      case Kind::kList: {
        Value list{.kind = Value::Kind::kList, .line = expression.line};
        for (const Expression& part : expression.parts) list.items.push_back(value(part, names));
        return list;
      }
      case Kind::kDict:
        return dict(expression, names);
      case Kind::kBinary:
        return binary(expression, names);
      default:
        for (const Expression& part : expression.parts) value(part, names);
        return {};
    }
  }

  Value dict(const Expression& expression, Names& names) {
    Value out{.kind = Value::Kind::kDict, .line = expression.line};
    out.dict = std::make_shared<Dict>();
    for (std::size_t i = 0; i + 1 < expression.parts.size(); i += 2) {
      const Value key = value(expression.parts[i], names);
      const Value member = value(expression.parts[i + 1], names);
      if (key.kind == Value::Kind::kText)
        out.dict->set({key.text, expression.parts[i].line}, member);
    }
    return out;
  }

  Value binary(const Expression& expression, Names& names) {
    if (expression.text == "+") return joined(expression.parts, names, expression.line);
    Value left = value(expression.parts[0], names);
    Value right = value(expression.parts[1], names);
    if (expression.text == "or" || expression.text == "if" || expression.text == "else")
      return left.kind == Value::Kind::kUnknown ? right : left;
    return {};
  }

  Value joined(const std::vector<Expression>& parts, Names& names, int line) {
    Value out{.kind = Value::Kind::kText, .line = line};
    std::vector<Value> values;
    for (const Expression& part : parts) values.push_back(value(part, names));
    std::string sql;
    for (const Value& one : values) {
      if (one.kind != Value::Kind::kText) out.kind = Value::Kind::kSql;
      const std::string text = sql_of(one);
      if (text.empty()) return {};
      if (one.kind == Value::Kind::kText) out.text += one.text;
      sql += (sql.empty() ? "" : ", ") + text;
      for (auto& path : paths_of(one)) out.paths.push_back(path);
      if (!one.url.empty()) {
        out.url = one.url;
        out.records = one.records;
      }
    }
    if (out.kind == Value::Kind::kSql) out.text = "concat(" + sql + ")";
    return out;
  }

  Value attribute(const Expression& expression, Names& names) {
    Value base = value(expression.parts[0], names);
    if (expression.text == "writeStream" && script_.streams == 0) script_.streams = expression.line;
    if (base.kind == Value::Kind::kResponse) return base;  // .text, .content
    if (base.kind == Value::Kind::kUuid) return in_text(base);
    return {};
  }

  static Value in_text(const Value& value) {
    if (value.kind == Value::Kind::kText || value.kind == Value::Kind::kJson) return value;
    const std::string sql = sql_of(value);
    if (sql.empty()) return {};
    Value out = value;
    out.kind = Value::Kind::kSql;
    out.text = sql;
    return out;
  }

  Value index(const Expression& expression, Names& names) {
    Value base = value(expression.parts[0], names);
    const Value key = value(expression.parts[1], names);
    if (dotted(expression.parts[0]) == "os.environ") return variable(key, {});
    return member(base, key, expression.parts[1].kind == Kind::kNumber);
  }

  static Value member(Value base, const Value& key, bool number) {
    if (base.kind == Value::Kind::kJson && number) return element(base);
    if (key.kind != Value::Kind::kText) return {};
    if (base.kind == Value::Kind::kJson) base.path.push_back(key.text);
    if (base.kind == Value::Kind::kJson) return base;
    if (base.kind == Value::Kind::kDict)
      for (const auto& [name, value] : base.dict->members)
        if (name.text == key.text) return value;
    return {};
  }

  Value variable(const Value& name, const Value& otherwise) const {
    if (name.kind != Value::Kind::kText) return otherwise;
    const auto found = environment_.find(name.text);
    if (found == environment_.end()) return otherwise;
    return {.kind = Value::Kind::kText, .text = found->second, .line = name.line};
  }

  struct Call {
    const Expression& expression;
    std::string name;    ///< of the function with what it belongs to, where that is plain
    std::string method;  ///< its last word
    Value base;
    std::vector<Value> values;

    const Value& at(std::size_t i) const {
      static const Value kNone;
      std::size_t position = 0;
      for (std::size_t k = 0; k < values.size(); ++k)
        if (expression.names[k].empty() && position++ == i) return values[k];
      return kNone;
    }
    const Value& named(std::string_view name_of) const {
      static const Value kNone;
      for (std::size_t k = 0; k < values.size(); ++k)
        if (expression.names[k] == name_of) return values[k];
      return kNone;
    }
    bool has(std::string_view name_of) const {
      return std::ranges::find(expression.names, name_of) != expression.names.end();
    }
    const Value& either(std::size_t i, std::string_view name_of) const {
      return has(name_of) ? named(name_of) : at(i);
    }
  };

  Value called(const Expression& expression, Names& names) {
    Call call{expression, dotted(expression.parts[0]), {}, {}, {}};
    const Expression& callee = expression.parts[0];
    if (callee.kind == Kind::kAttribute) {
      call.method = callee.text;
      call.base = value(callee.parts[0], names);
    } else {
      call.method = call.name;
    }
    for (std::size_t i = 1; i < expression.parts.size(); ++i)
      call.values.push_back(value(expression.parts[i], names));
    if (is_dag(call.name)) dag(call, call.either(0, "dag_id"));
    connections(call);
    spark(call);
    if (auto function = functions_.find(call.method);
        function != functions_.end() &&
        (callee.kind == Kind::kName || call.name.starts_with("self.")))
      return this->call(*function->second, call.values, expression.names);
    return result(call);
  }

  Value result(const Call& call) {
    const std::string& method = call.method;
    const Value& first = call.at(0);
    if (ends_with_call(call.name, "uuid4") || ends_with_call(call.name, "uuid1"))
      return {.kind = Value::Kind::kUuid, .line = call.expression.line};
    if (call.name.find("date") != std::string::npos &&
        (method == "now" || method == "utcnow" || method == "today"))
      return {.kind = Value::Kind::kMoment, .line = call.expression.line};
    if (call.name == "str" || call.name == "int" || call.name == "float") return in_text(first);
    if (call.base.kind == Value::Kind::kMoment || call.base.kind == Value::Kind::kUuid)
      return in_text(call.base);
    if (call.name == "os.getenv" || call.name == "os.environ.get")
      return variable(first, call.at(1));
    if (fetches(call)) return fetched(call);
    if (method == "json" && call.base.kind == Value::Kind::kResponse)
      return {.kind = Value::Kind::kJson, .url = call.base.url};
    if (call.name == "json.loads" && first.kind == Value::Kind::kResponse)
      return {.kind = Value::Kind::kJson, .url = first.url};
    if (call.name == "json.loads") return first;
    if (call.name == "json.dumps") return dumps(call, first);
    if (method == "get") return member(call.base, first, false);
    if (method == "update" && call.base.kind == Value::Kind::kDict &&
        first.kind == Value::Kind::kDict)
      for (const auto& [name, value] : first.dict->members) call.base.dict->set(name, value);
    if (method == "encode" || method == "strip" || method == "read" || method == "copy" ||
        method == "decode")
      return call.base;
    if (call.name == "bytes" || call.name == "dict") return first;
    if (method == "send" || method == "produce" || method == "send_and_wait") sends(call);
    return {};
  }

  static bool is_dag(const std::string& name) {
    return ends_with_call(name, "DAG") || ends_with_call(name, "dag");
  }

  /// `@dag(schedule=…)` before a function: the DAG has the function's name unless it says another.
  void decorated(const Statement& before, const std::string& function, Names& names) {
    if (!before.decorates || before.expressions.empty()) return;
    const Expression& decorator = before.expressions[0];
    Call call{decorator, dotted(decorator), {}, {}, {}};
    if (decorator.kind == Kind::kCall) {
      call.name = dotted(decorator.parts[0]);
      for (std::size_t i = 1; i < decorator.parts.size(); ++i)
        call.values.push_back(value(decorator.parts[i], names));
    }
    if (is_dag(call.name))
      dag(call, {.kind = Value::Kind::kText, .text = function, .line = decorator.line});
  }

  void dag(const Call& call, const Value& id) {
    if (call.has("schedule_interval"))
      note(script_.old_words, {"schedule_interval", call.expression.line});
    const bool known = std::ranges::any_of(
        script_.dags, [&](const DagCall& one) { return one.line == call.expression.line; });
    if (id.kind != Value::Kind::kText || known) return;
    const Value& schedule =
        call.named(call.has("schedule_interval") ? "schedule_interval" : "schedule");
    script_.dags.push_back(
        {id.text, schedule.kind == Value::Kind::kText ? schedule.text : "", call.expression.line});
  }

  static bool fetches(const Call& call) {
    const Value& url = call.either(0, "url");
    if (url.kind != Value::Kind::kText || !url.text.starts_with("http")) return false;
    return call.method == "get" || call.method == "urlopen" || call.method == "post" ||
           call.method == "request";
  }
  Value fetched(const Call& call) {
    const Value& url = call.either(0, "url");
    note(script_.urls, {url.text, call.expression.line});
    return {.kind = Value::Kind::kResponse, .url = url.text};
  }

  Value dumps(const Call& call, const Value& first) {
    dumped_.push_back({first, call.has("default") || call.has("cls")});
    Value out = first;
    if (first.kind == Value::Kind::kDict) out.kind = Value::Kind::kDumped;
    return out;
  }

  static std::string type_of(const Value& value) {
    if (value.kind == Value::Kind::kUuid) return "UUID";
    if (value.kind == Value::Kind::kMoment) return "datetime";
    return {};
  }

  void trouble(const Value& value) {
    if (value.kind != Value::Kind::kDict && value.kind != Value::Kind::kDumped) return;
    for (const auto& [name, member] : value.dict->members) {
      const std::string type = type_of(member);
      const bool known = std::ranges::any_of(script_.unserialisable, [&](const Field& field) {
        return field.line == name.line && field.name == name.text;
      });
      if (!type.empty() && !known)
        script_.unserialisable.push_back({name.text, name.line, "", {}, type});
    }
  }

  void sends(const Call& call) {
    const Value& topic = call.either(0, "topic");
    Value what = call.either(1, "value");
    if (topic.kind != Value::Kind::kText) return;
    if (what.kind == Value::Kind::kDict && serialises_) dumped_.push_back({what, has_default_});
    Send send;
    send.topic = {topic.text, call.expression.line};
    if (what.kind == Value::Kind::kJson) {
      send.whole = what.path.empty();
      send.url = what.url;
      send.records = what.records;
    } else if (what.dict) {
      for (const auto& [name, member] : what.dict->members) {
        send.fields.push_back(
            {name.text, name.line, sql_of(member), paths_of(member), type_of(member)});
        if (!member.url.empty()) {
          send.url = member.url;
          send.records = member.records;
        }
      }
    }
    const auto same = std::ranges::find(script_.sends, topic.text,
                                        [](const Send& one) { return one.topic.text; });
    if (same == script_.sends.end())
      script_.sends.push_back(send);
    else if (same->fields.empty() && !same->whole)
      *same = send;
  }

  static bool mentions(const Expression& expression, std::string_view name, bool& with_default) {
    bool found = false;
    if (expression.kind == Kind::kCall && dotted(expression.parts[0]) == name) {
      found = true;
      for (const std::string& one : expression.names)
        with_default = with_default || one == "default" || one == "cls";
    }
    for (const Expression& part : expression.parts)
      found = mentions(part, name, with_default) || found;
    return found;
  }

  /// HOST[:PORT] of a text, or of each text of a list.
  void addresses(const Value& value, int port, const std::string& what) {
    if (value.kind == Value::Kind::kList)
      for (const Value& one : value.items) addresses(one, port, what);
    if (value.kind != Value::Kind::kText) return;
    for (std::size_t from = 0; from <= value.text.size();) {
      const std::size_t comma = std::min(value.text.find(',', from), value.text.size());
      const std::string one = value.text.substr(from, comma - from);
      const std::size_t colon = one.rfind(':');
      Address address{one.substr(0, colon), port, value.line, what};
      if (colon != std::string::npos) address.port = std::atoi(one.c_str() + colon + 1);
      const bool known = std::ranges::any_of(script_.addresses, [&](const Address& old) {
        return old.host == address.host && old.port == address.port && old.line == address.line;
      });
      if (!known && !address.host.empty()) script_.addresses.push_back(address);
      from = comma + 1;
    }
  }

  void connections(const Call& call) {
    if (ends_with_call(call.name, "KafkaProducer") || ends_with_call(call.name, "KafkaConsumer") ||
        ends_with_call(call.name, "AIOKafkaProducer") || ends_with_call(call.name, "Producer") ||
        ends_with_call(call.name, "Consumer") || ends_with_call(call.name, "AdminClient") ||
        ends_with_call(call.name, "KafkaAdminClient")) {
      addresses(call.named("bootstrap_servers"), 9092, "Kafka");
      if (call.at(0).kind == Value::Kind::kDict)
        for (const auto& [name, member] : call.at(0).dict->members)
          if (name.text == "bootstrap.servers") addresses(member, 9092, "Kafka");
      for (std::size_t i = 0; i < call.expression.names.size(); ++i)
        if (call.expression.names[i] == "value_serializer" &&
            mentions(call.expression.parts[i + 1], "json.dumps", has_default_))
          serialises_ = true;
    }
    if (ends_with_call(call.name, "Cluster"))
      addresses(call.either(0, "contact_points"), 9042, "Cassandra");
    if (call.method == "connect" && call.has("host"))
      addresses(call.named("host"), 5432, "a database");
    if (call.method == "execute" || call.method == "prepare" ||
        ends_with_call(call.name, "SimpleStatement"))
      if (call.at(0).kind == Value::Kind::kText)
        note(script_.cql, {call.at(0).text, call.at(0).line});
  }

  void spark(const Call& call) {
    const Value &first = call.at(0), &second = call.at(1);
    if ((call.method == "option" || call.method == "config" || call.method == "set") &&
        first.kind == Value::Kind::kText && second.kind == Value::Kind::kText) {
      script_.options.try_emplace(first.text, Site{second.text, second.line});
      if (first.text == "kafka.bootstrap.servers") addresses(second, 9092, "Spark's Kafka source");
      if (first.text == "spark.cassandra.connection.host")
        addresses(second, 9042, "Spark's Cassandra sink");
    }
    if (call.method == "options" || call.method == "configs")
      for (std::size_t i = 0; i < call.values.size(); ++i)
        if (call.values[i].kind == Value::Kind::kText && !call.expression.names[i].empty())
          script_.options.try_emplace(call.expression.names[i],
                                      Site{call.values[i].text, call.values[i].line});
    if (call.method == "master" && first.kind == Value::Kind::kText)
      script_.master = {first.text, first.line};
    if (call.method == "select") selection(call);
    const bool field = ends_with_call(call.name, "StructField"), add = call.method == "add";
    if (!field && !add) return;
    if (first.kind != Value::Kind::kText || call.expression.parts.size() < 3) return;
    const Expression& type = call.expression.parts[2];
    std::string word = dotted(type.kind == Kind::kCall ? type.parts[0] : type);
    word = word.substr(word.rfind('.') + 1);
    if (word.ends_with("Type"))
      note(script_.schema, {first.text + " " + word.substr(0, word.size() - 4), first.line});
  }

  /// .select("a", col("b"), …): only where every column is named plainly.
  void selection(const Call& call) {
    std::vector<Site> columns;
    for (std::size_t i = 0; i < call.values.size(); ++i) {
      const Expression* part = &call.expression.parts[i + 1];
      Site name{"", part->line};
      if (part->kind == Kind::kCall && part->parts[0].kind == Kind::kAttribute &&
          part->parts[0].text == "alias" && part->parts.size() == 2)
        name.text = part->parts[1].text;
      else if (part->kind == Kind::kCall && ends_with_call(dotted(part->parts[0]), "col") &&
               part->parts.size() == 2)
        name.text = part->parts[1].text;
      else if (part->kind == Kind::kText)
        name.text = part->text;
      if (name.text.empty() || name.text.find('*') != std::string::npos) return;
      name.text = name.text.substr(name.text.rfind('.') + 1);
      columns.push_back(name);
    }
    const bool known = std::ranges::any_of(script_.selections, [&](const auto& old) {
      return !old.empty() && !columns.empty() && old[0].line == columns[0].line;
    });
    if (!columns.empty() && !known) script_.selections.push_back(columns);
  }

  static void note(std::vector<Site>& sites, const Site& site) {
    const bool known = std::ranges::any_of(
        sites, [&](const Site& old) { return old.line == site.line && old.text == site.text; });
    if (!known) sites.push_back(site);
  }

  Script& script_;
  const std::map<std::string, std::string>& environment_;
  std::map<std::string, const Statement*> functions_;
  std::vector<const Statement*> order_;
  std::set<std::string> called_;
  std::vector<Dumped> dumped_;
  Names globals_;
  bool serialises_ = false, has_default_ = false;
  int calls_ = 0, steps_ = 0;
};

/// The first call of a block that talks to something outside; empty: none.
std::string risky_call(const Expression& expression) {
  static const std::set<std::string, std::less<>> kMethods = {
      "send",  "produce",     "flush",         "execute", "connect", "load",
      "start", "getOrCreate", "send_and_wait", "save",    "urlopen"};
  static const std::set<std::string, std::less<>> kNames = {
      "KafkaProducer", "KafkaConsumer", "Cluster", "requests.get", "requests.post", "Producer"};
  if (expression.kind == Kind::kCall) {
    const Expression& callee = expression.parts[0];
    const std::string name = dotted(callee);
    if (kNames.contains(name)) return name;
    if (callee.kind == Kind::kAttribute && kMethods.contains(callee.text)) return callee.text;
  }
  for (const Expression& part : expression.parts)
    if (std::string found = risky_call(part); !found.empty()) return found;
  return {};
}

std::string risky_call(const std::vector<Statement>& block) {
  for (const Statement& one : block) {
    for (const Expression& expression : one.expressions)
      if (std::string found = risky_call(expression); !found.empty()) return found;
    if (std::string found = risky_call(one.body); !found.empty()) return found;
  }
  return {};
}

/// A handler that says nothing to who waits: it logs, passes, goes on, gives back nothing.
bool is_silent(const std::vector<Statement>& block) {
  for (const Statement& one : block) {
    using S = Statement::Kind;
    if (one.kind == S::kPass || one.kind == S::kContinue) continue;
    if (one.kind == S::kReturn || one.kind == S::kAssign) {
      const Expression& value = one.expressions.empty() ? Expression{} : one.expressions.back();
      const bool nothing =
          one.expressions.empty() ||
          (value.kind == Kind::kName && (value.text == "None" || value.text == "False"));
      if (!nothing) return false;
      continue;
    }
    if (one.kind != S::kExpression || one.expressions.size() != 1) return false;
    const Expression& call = one.expressions[0];
    if (call.kind == Kind::kText) continue;
    if (call.kind != Kind::kCall) return false;
    const std::string name = dotted(call.parts[0]);
    const std::string root = name.substr(0, name.find('.'));
    if (root != "print" && root != "logging" && root != "logger" && root != "log" &&
        root != "traceback" && root != "LOG" && root != "self")
      return false;
    if (root == "self" && !name.starts_with("self.log")) return false;
  }
  return true;
}

void find_swallowed(const std::vector<Statement>& block, std::vector<Site>& out) {
  std::string risky;
  for (const Statement& one : block) {
    if (one.kind == Statement::Kind::kTry) risky = risky_call(one.body);
    if (one.kind == Statement::Kind::kExcept && !risky.empty()) {
      const std::string caught = one.expressions.empty() ? "" : dotted(one.expressions[0]);
      if (caught != "ImportError" && caught != "KeyboardInterrupt" &&
          caught != "ModuleNotFoundError" && is_silent(one.body))
        out.push_back({risky, one.line});
    }
    find_swallowed(one.body, out);
  }
}

}  // namespace

Script read_script(const std::string& path, std::string_view text,
                   const std::map<std::string, std::string>& environment) {
  Script script;
  script.path = path;
  const std::vector<Statement> module = parse_python(text);
  Reader(script, environment).read(module);
  find_swallowed(module, script.swallowed);
  return script;
}

}  // namespace tailrace::doctor
