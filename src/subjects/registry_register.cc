// Registering, looking up and trying schemas.
#include <algorithm>

#include "schema/compatibility.h"
#include "subjects/registry.h"

namespace tailrace::subjects {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// A number that a client put into the properties; absent when there is none.
std::optional<int> version_property(const std::optional<Metadata>& metadata) {
  if (!metadata) return std::nullopt;
  const auto found = metadata->properties.find(kVersionProperty);
  if (found == metadata->properties.end() || found->second.empty()) return std::nullopt;
  int value = 0;
  for (const char c : found->second) {
    if (c < '0' || c > '9' || value > 100'000'000) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

Metadata without_version(const std::optional<Metadata>& metadata) {
  Metadata out = metadata.value_or(Metadata());
  out.properties.erase(kVersionProperty);
  return out;
}

// Whether what belongs to two schemas is the same, but for a version that only one of them names.
bool same_metadata(const SchemaVersion& candidate, const SchemaVersion& known) {
  const auto wanted = version_property(candidate.metadata);
  const auto has = version_property(known.metadata);
  if (wanted.has_value() == has.has_value()) return candidate.metadata == known.metadata;
  if (wanted && *wanted != known.version) return false;
  return without_version(candidate.metadata) == without_version(known.metadata);
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ", ";
    out += text;
  }
  return out + "]";
}

constexpr int kMostAgain = 5;

bool imports(Mode mode) {
  return mode == Mode::kImport || mode == Mode::kForward;
}

}  // namespace

Answer<std::vector<schema::Reference>> Registry::resolve(const std::string& subject,
                                                         std::vector<SchemaReference>& references,
                                                         bool deleted_too) const {
  constexpr std::size_t kMaxReferences = 10'000;
  // Depth first without recursion: a schema's own references come before it.
  struct Open {
    std::string subject;
    std::vector<SchemaReference> references;
    std::string name, text;  // of the schema whose references these are
    std::size_t next = 0;
  };
  std::vector<schema::Reference> out;
  std::set<std::string> visited;
  std::vector<Open> open{{subject, references, "", "", 0}};
  while (!open.empty()) {
    if (open.back().next == open.back().references.size()) {
      if (open.size() > 1)
        out.push_back({std::move(open.back().name), std::move(open.back().text)});
      open.pop_back();
      continue;
    }
    SchemaReference& one = open.back().references[open.back().next++];
    const std::string target = SubjectName::within(open.back().subject, one.subject).qualified();
    const SchemaVersionPtr found =
        one.version < 0 ? state_.latest(target) : state_.version(target, one.version);
    if (!found || (found->deleted && !deleted_too)) {
      return invalid_schema("No schema reference found for subject \"" + target +
                            "\" and version " + std::to_string(one.version));
    }
    one.version = found->version;
    if (open.size() == 1) references[open.back().next - 1].version = found->version;
    if (!visited.insert(one.name).second) continue;
    if (visited.size() > kMaxReferences) return invalid_schema("too many references");
    open.push_back({found->subject, found->references, one.name, found->text, 0});
  }
  return out;
}

Answer<std::vector<schema::Reference>> Registry::references_of(const SchemaVersion& schema) const {
  const auto lock = reading();
  std::vector<SchemaReference> own = schema.references;
  return resolve(schema.subject, own, true);
}

Answer<Registry::Parsed> Registry::parse(const std::string& subject, const Candidate& candidate,
                                         schema::Age age, bool normalize) const {
  const auto format = schema::format_named(candidate.schema_type);
  if (!format) return invalid_schema("Invalid schema type " + candidate.schema_type);
  const auto wrong = [&](const std::string& what) {
    return invalid_schema("Invalid schema of type " + candidate.schema_type + ", details: " + what);
  };
  Parsed out{.schema = {.subject = subject,
                        .version = candidate.version,
                        .id = candidate.id,
                        .format = *format,
                        .references = candidate.references,
                        .metadata = candidate.metadata,
                        .rules = candidate.rules},
             .parsed = nullptr};
  const auto references = resolve(subject, out.schema.references, age == schema::Age::kKnown);
  if (!references) return wrong(references.error().message);
  auto parsed = parsed_.parse(*format, candidate.text, *references, age);
  if (!parsed) return wrong(parsed.error().what);
  out.parsed = std::move(*parsed);
  const bool rewrite = normalize && !imports(mode_in_scope(subject));
  out.schema.text = rewrite ? out.parsed->normalized() : out.parsed->canonical();
  out.schema.fingerprint =
      fingerprint(out.schema.text, out.schema.references, out.schema.metadata, out.schema.rules);
  return out;
}

Answer<schema::SchemaPtr> Registry::parse_known(const SchemaVersion& schema) const {
  std::vector<SchemaReference> own = schema.references;
  ASSIGN(const auto references, resolve(schema.subject, own, true));
  auto parsed = parsed_.parse(schema.format, schema.text, references, schema::Age::kKnown);
  if (!parsed) return invalid_schema(parsed.error().what);
  return std::move(*parsed);
}

bool Registry::is_same(const Parsed& candidate, const SchemaVersion& known) const {
  const SchemaVersion& schema = candidate.schema;
  if (schema.format != known.format || schema.rules != known.rules) return false;
  if (!same_metadata(schema, known)) return false;
  const bool references_inlined = schema.references.empty() && !known.references.empty();
  if (schema.references != known.references && !references_inlined) return false;
  if (schema.text == known.text && !references_inlined) return true;
  const auto parsed = parse_known(known);
  return parsed && candidate.parsed->equivalent(**parsed);
}

SchemaVersionPtr Registry::find(const Parsed& candidate, bool deleted_too) const {
  const std::string& subject = candidate.schema.subject;
  const std::string context = SubjectName::parse(subject).context;
  if (const auto id = state_.id_of(context, candidate.schema.fingerprint)) {
    const auto& users = state_.subjects_of_id(context, *id);
    if (const auto own = users.find(subject); own != users.end()) {
      SchemaVersionPtr found = state_.version(subject, own->second);
      if (found && (deleted_too || !found->deleted)) return found;
    }
  }
  const State::Versions& all = state_.versions(subject);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    if (at->second->deleted && !deleted_too) continue;
    if (is_same(candidate, *at->second)) return at->second;
  }
  return nullptr;
}

Answer<SchemaVersionPtr> Registry::lookup_here(const std::string& subject,
                                               const Candidate& candidate, bool normalize,
                                               bool deleted_too) const {
  if (is_blank(candidate.text)) return SchemaVersionPtr();
  const Config config = config_in_scope(subject);
  ASSIGN(const Parsed parsed, parse(subject, candidate, schema::Age::kKnown, normalize));
  if (SchemaVersionPtr found = find(parsed, deleted_too)) return found;
  // As a registration would: with the metadata and rules of the version before.
  const SchemaVersionPtr latest = state_.latest(subject);
  if (!latest) return SchemaVersionPtr();
  Candidate filled = candidate;
  TRY(populate(filled, subject, config, 0));
  if (filled.metadata == candidate.metadata && filled.rules == candidate.rules)
    return SchemaVersionPtr();
  ASSIGN(const Parsed again, parse(subject, filled, schema::Age::kKnown, normalize));
  return find(again, deleted_too);
}

Answer<SchemaVersionPtr> Registry::lookup(const std::string& subject, const Candidate& candidate,
                                          bool normalize, bool deleted_too) const {
  const auto lock = reading();
  normalize = normalize || config_in_scope(subject).normalize.value_or(false);
  ASSIGN(SchemaVersionPtr found, lookup_here(subject, candidate, normalize, deleted_too));
  if (found) return found;
  if (SubjectName::parse(subject).context == kDefaultContext) {
    for (const std::string& context : state_.contexts()) {
      const auto other =
          lookup_here(SubjectName{context, subject}.qualified(), candidate, normalize, deleted_too);
      if (other && *other) return *other;
    }
  }
  if (!state_.has_subjects(subject, deleted_too)) return subject_not_found(subject);
  return refuse(40403, "Schema not found");
}

Answer<void> Registry::populate(Candidate& candidate, const std::string& subject,
                                const Config& config, int next_version) const {
  const SchemaVersionPtr latest = state_.latest(subject);
  if (is_blank(candidate.text)) {
    if (!latest) return invalid_schema("Empty schema");
    candidate.text = latest->text;
    candidate.schema_type = schema::format_name(latest->format);
    candidate.references = latest->references;
  }
  std::optional<Metadata> metadata = candidate.metadata;
  if (!metadata && latest) metadata = latest->metadata;
  metadata = merged(merged(config.default_metadata, metadata), config.override_metadata);
  std::optional<RuleSet> rules = candidate.rules;
  if (!rules && latest) rules = latest->rules;
  rules = merged(merged(config.default_rules, rules), config.override_rules);
  const bool names_version = metadata && metadata->properties.contains(kVersionProperty);
  if (next_version > 0 && (candidate.version != 0 || names_version)) {
    if (!metadata) metadata.emplace();
    metadata->properties[kVersionProperty] = std::to_string(next_version);
  }
  candidate.metadata = std::move(metadata);
  candidate.rules = std::move(rules);
  return {};
}

Answer<void> Registry::check_mode(const std::string& subject, const Candidate& candidate) const {
  TRY(refuse_read_only(subject));
  const Mode mode = mode_in_scope(subject);
  const std::string where =
      "Subject " + subject + " in context " + SubjectName::parse(subject).prefix();
  if (candidate.id >= 0) {
    if (!imports(mode)) return not_permitted(where + " is not in import mode");
  } else if (mode != Mode::kReadWrite) {
    return not_permitted(where + " is not in read-write mode");
  }
  return {};
}

Answer<std::vector<std::string>> Registry::why_not(const Config& config, const Parsed& candidate,
                                                   std::vector<SchemaVersionPtr> earlier) const {
  if (config.compatibility_group) {
    const auto group = [&](const std::optional<Metadata>& metadata) -> std::optional<std::string> {
      if (!metadata) return std::nullopt;
      const auto found = metadata->properties.find(*config.compatibility_group);
      if (found == metadata->properties.end()) return std::nullopt;
      return found->second;
    };
    const auto own = group(candidate.schema.metadata);
    std::erase_if(earlier,
                  [&](const SchemaVersionPtr& one) { return group(one->metadata) != own; });
  }
  if (*config.compatibility == schema::Level::kNone) earlier.clear();
  std::vector<schema::Version> versions;
  for (const SchemaVersionPtr& one : earlier) {
    ASSIGN(schema::SchemaPtr parsed, parse_known(*one));
    versions.push_back({one->version, std::move(parsed)});
  }
  std::vector<std::string> out =
      schema::why_not_after(*config.compatibility, *candidate.parsed, versions);
  if (!out.empty()) {
    const bool fields = config.validate_fields.value_or(false);
    out.push_back("{validateFields: '" + std::string(fields ? "true" : "false") +
                  "', compatibility: '" + std::string(schema::level_name(*config.compatibility)) +
                  "'}");
  }
  return out;
}

Answer<std::vector<std::string>> Registry::incompatibilities(const std::string& subject,
                                                             const Candidate& candidate,
                                                             std::optional<int> number,
                                                             bool normalize) const {
  const auto lock = reading();
  std::vector<SchemaVersionPtr> earlier;
  if (number) {
    SchemaVersionPtr one = *number < 0 ? state_.latest(subject) : state_.version(subject, *number);
    if (one && one->deleted) one = nullptr;
    if (!one && *number >= 0)
      return refuse(40402, "Version " + std::to_string(*number) + " not found.");
    if (one) earlier.push_back(one);
  } else {
    for (const auto& [version, schema] : state_.versions(subject)) {
      if (!schema->deleted) earlier.push_back(schema);
    }
  }
  if (is_blank(candidate.text)) return invalid_schema("Empty schema");
  const Config config = config_in_scope(subject);
  const auto age =
      config.validate_new_schemas.value_or(true) ? schema::Age::kNew : schema::Age::kKnown;
  normalize = normalize || config.normalize.value_or(false);
  ASSIGN(const Parsed parsed, parse(subject, candidate, age, normalize));
  return why_not(config, parsed, std::move(earlier));
}

Answer<SchemaVersionPtr> Registry::register_schema(const std::string& subject,
                                                   const Candidate& candidate, bool normalize,
                                                   bool force) {
  {
    // What is there already is answered without waiting for writers.
    const auto lock = reading();
    const Config config = config_in_scope(subject);
    normalize = normalize || config.normalize.value_or(false);
    const bool fills_in = config.default_metadata || config.override_metadata ||
                          config.default_rules || config.override_rules;
    if (!fills_in && candidate.version == 0 && !is_blank(candidate.text)) {
      ASSIGN(const Parsed parsed, parse(subject, candidate, schema::Age::kKnown, normalize));
      const SchemaVersionPtr found = find(parsed, false);
      if (found && (candidate.id < 0 || candidate.id == found->id)) return found;
    }
  }
  const Lock lock = writing();
  auto made = registered(subject, candidate, normalize, force);
  // Another writer's schema came between: with it known the next number is another one.
  for (int i = 0; i < kMostAgain && made && !*made; ++i)
    made = registered(subject, candidate, normalize, force);
  if (made && !*made) return refuse(50001, "Another registry writes to the same topic");
  return made;
}

Answer<SchemaVersionPtr> Registry::registered(const std::string& subject, Candidate candidate,
                                              bool normalize, bool force) {
  TRY(check_mode(subject, candidate));
  const State::Versions& all = state_.versions(subject);
  const int next_version = all.empty() ? 1 : all.rbegin()->first + 1;
  std::vector<SchemaVersionPtr> live;
  for (const auto& [number, schema] : all) {
    if (!schema->deleted) live.push_back(schema);
  }
  const Config config = config_in_scope(subject);
  const bool importing = imports(mode_in_scope(subject));
  if (!importing) TRY(populate(candidate, subject, config, next_version));
  if (is_blank(candidate.text)) return invalid_schema("Empty schema");
  const bool as_new = candidate.id < 0 && config.validate_new_schemas.value_or(true);
  ASSIGN(Parsed parsed,
         parse(subject, candidate, as_new ? schema::Age::kNew : schema::Age::kKnown, normalize));
  for (const SchemaReference& reference : parsed.schema.references) {
    const std::string target = SubjectName::within(subject, reference.subject).qualified();
    if (!state_.associations().of_subject(target, {.strong = true}).empty())
      return not_permitted("Subject '" + reference.subject +
                           "' has a strong association and cannot be referenced");
  }
  const std::string context = SubjectName::parse(subject).context;
  const auto known_id = state_.id_of(context, parsed.schema.fingerprint);
  if (candidate.version == 0) {
    const SchemaVersionPtr found = find(parsed, false);
    const int wanted = candidate.id >= 0 ? candidate.id : known_id.value_or(-1);
    if (found && (wanted < 0 || wanted == found->id)) return found;
  }
  if (known_id && candidate.id < 0) parsed.schema.id = *known_id;
  if (!importing && !force) {
    ASSIGN(const auto reasons, why_not(config, parsed, live));
    if (!reasons.empty()) {
      return refuse(409,
                    "Schema being registered is incompatible with an earlier schema for "
                    "subject \"" +
                        subject + "\", details: " + joined(reasons));
    }
  }
  return put_new(std::move(parsed), candidate.version, next_version, importing);
}

Answer<void> Registry::check_id(const SchemaVersion& schema) const {
  const SubjectName name = SubjectName::parse(schema.subject);
  const auto& users = state_.subjects_of_id(name.context, schema.id);
  if (users.empty()) return {};
  const SchemaVersionPtr known = state_.version(users.begin()->first, users.begin()->second);
  if (!known || known->fingerprint == schema.fingerprint) return {};
  return not_permitted("Overwrite new schema with id " + std::to_string(schema.id) +
                       " in context " + name.prefix() + " is not permitted.");
}

Answer<SchemaVersionPtr> Registry::put_new(Parsed parsed, int wanted_version, int next_version,
                                           bool importing) {
  SchemaVersion& schema = parsed.schema;
  const std::string context = SubjectName::parse(schema.subject).context;
  if (wanted_version > 0 && wanted_version != next_version && !importing)
    return invalid_schema("Version is not one more than previous version");
  schema.version = wanted_version > 0 ? wanted_version : next_version;
  if (schema.id >= 0) {
    TRY(check_id(schema));
  } else {
    schema.id = state_.max_id(context) + 1;
  }
  std::vector<Change> changes;
  if (context != kDefaultContext && !state_.contexts().contains(context))
    changes.emplace_back(PutContext{context});
  for (const auto& [number, old] : state_.versions(schema.subject)) {
    const bool replaced = old->deleted && old->id == schema.id && number < schema.version;
    if (replaced && state_.referrers(schema.subject, number).empty())
      changes.emplace_back(DropSchema{schema.subject, number});
  }
  const std::string subject = schema.subject, fingerprint = schema.fingerprint;
  const int version = schema.version;
  changes.emplace_back(PutSchema{std::move(schema)});
  TRY(write(std::move(changes)));
  SchemaVersionPtr made = state_.version(subject, version);
  return made && made->fingerprint == fingerprint ? made : nullptr;
}

}  // namespace tailrace::subjects
