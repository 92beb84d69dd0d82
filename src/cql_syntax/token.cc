// The table of tokens.
#include "cql_syntax/token.h"

#include <algorithm>
#include <array>

namespace tailrace::cql_syntax {
namespace {

struct Entry {
  std::string_view word;
  std::string_view name;
  Kind kind;
  KeywordClass keyword_class;
};

// In the order of the words.
constexpr Entry kKeywords[] = {
    {"access", "K_ACCESS", Kind::kAccess, KeywordClass::kBasic},
    {"add", "K_ADD", Kind::kAdd, KeywordClass::kReserved},
    {"aggregate", "K_AGGREGATE", Kind::kAggregate, KeywordClass::kBasic},
    {"aggregates", "K_AGGREGATES", Kind::kAggregates, KeywordClass::kBasic},
    {"all", "K_ALL", Kind::kAll, KeywordClass::kBasic},
    {"allow", "K_ALLOW", Kind::kAllow, KeywordClass::kReserved},
    {"alter", "K_ALTER", Kind::kAlter, KeywordClass::kReserved},
    {"and", "K_AND", Kind::kAnd, KeywordClass::kReserved},
    {"ann", "K_ANN", Kind::kAnn, KeywordClass::kBasic},
    {"apply", "K_APPLY", Kind::kApply, KeywordClass::kReserved},
    {"as", "K_AS", Kind::kAs, KeywordClass::kBasic},
    {"asc", "K_ASC", Kind::kAsc, KeywordClass::kReserved},
    {"ascii", "K_ASCII", Kind::kAscii, KeywordClass::kNative},
    {"authorize", "K_AUTHORIZE", Kind::kAuthorize, KeywordClass::kReserved},
    {"batch", "K_BATCH", Kind::kBatch, KeywordClass::kReserved},
    {"begin", "K_BEGIN", Kind::kBegin, KeywordClass::kReserved},
    {"bigint", "K_BIGINT", Kind::kBigint, KeywordClass::kNative},
    {"blob", "K_BLOB", Kind::kBlob, KeywordClass::kNative},
    {"boolean", "K_BOOLEAN", Kind::kBoolean, KeywordClass::kNative},
    {"by", "K_BY", Kind::kBy, KeywordClass::kReserved},
    {"called", "K_CALLED", Kind::kCalled, KeywordClass::kBasic},
    {"cast", "K_CAST", Kind::kCast, KeywordClass::kExtra},
    {"cidrs", "K_CIDRS", Kind::kCidrs, KeywordClass::kBasic},
    {"cluster", "K_CLUSTER", Kind::kCluster, KeywordClass::kBasic},
    {"clustering", "K_CLUSTERING", Kind::kClustering, KeywordClass::kBasic},
    {"columnfamilies", "K_TABLES", Kind::kTables, KeywordClass::kBasic},
    {"columnfamily", "K_COLUMNFAMILY", Kind::kColumnfamily, KeywordClass::kReserved},
    {"compact", "K_COMPACT", Kind::kCompact, KeywordClass::kBasic},
    {"contains", "K_CONTAINS", Kind::kContains, KeywordClass::kBasic},
    {"count", "K_COUNT", Kind::kCount, KeywordClass::kExtra},
    {"counter", "K_COUNTER", Kind::kCounter, KeywordClass::kNative},
    {"create", "K_CREATE", Kind::kCreate, KeywordClass::kReserved},
    {"custom", "K_CUSTOM", Kind::kCustom, KeywordClass::kBasic},
    {"datacenters", "K_DATACENTERS", Kind::kDatacenters, KeywordClass::kBasic},
    {"date", "K_DATE", Kind::kDate, KeywordClass::kNative},
    {"decimal", "K_DECIMAL", Kind::kDecimal, KeywordClass::kNative},
    {"default", "K_DEFAULT", Kind::kDefault, KeywordClass::kBasic},
    {"delete", "K_DELETE", Kind::kDelete, KeywordClass::kReserved},
    {"desc", "K_DESC", Kind::kDesc, KeywordClass::kReserved},
    {"describe", "K_DESCRIBE", Kind::kDescribe, KeywordClass::kReserved},
    {"distinct", "K_DISTINCT", Kind::kDistinct, KeywordClass::kExtra},
    {"double", "K_DOUBLE", Kind::kDouble, KeywordClass::kNative},
    {"drop", "K_DROP", Kind::kDrop, KeywordClass::kReserved},
    {"duration", "K_DURATION", Kind::kDuration, KeywordClass::kNative},
    {"entries", "K_ENTRIES", Kind::kEntries, KeywordClass::kReserved},
    {"execute", "K_EXECUTE", Kind::kExecute, KeywordClass::kReserved},
    {"exists", "K_EXISTS", Kind::kExists, KeywordClass::kBasic},
    {"filtering", "K_FILTERING", Kind::kFiltering, KeywordClass::kBasic},
    {"finalfunc", "K_FINALFUNC", Kind::kFinalfunc, KeywordClass::kBasic},
    {"float", "K_FLOAT", Kind::kFloat, KeywordClass::kNative},
    {"from", "K_FROM", Kind::kFrom, KeywordClass::kReserved},
    {"frozen", "K_FROZEN", Kind::kFrozen, KeywordClass::kBasic},
    {"full", "K_FULL", Kind::kFull, KeywordClass::kReserved},
    {"function", "K_FUNCTION", Kind::kFunction, KeywordClass::kBasic},
    {"functions", "K_FUNCTIONS", Kind::kFunctions, KeywordClass::kBasic},
    {"grant", "K_GRANT", Kind::kGrant, KeywordClass::kReserved},
    {"group", "K_GROUP", Kind::kGroup, KeywordClass::kBasic},
    {"hashed", "K_HASHED", Kind::kHashed, KeywordClass::kBasic},
    {"identity", "K_IDENTITY", Kind::kIdentity, KeywordClass::kBasic},
    {"if", "K_IF", Kind::kIf, KeywordClass::kReserved},
    {"in", "K_IN", Kind::kIn, KeywordClass::kReserved},
    {"index", "K_INDEX", Kind::kIndex, KeywordClass::kReserved},
    {"inet", "K_INET", Kind::kInet, KeywordClass::kNative},
    {"infinity", "K_POSITIVE_INFINITY", Kind::kPositiveInfinity, KeywordClass::kReserved},
    {"initcond", "K_INITCOND", Kind::kInitcond, KeywordClass::kBasic},
    {"input", "K_INPUT", Kind::kInput, KeywordClass::kBasic},
    {"insert", "K_INSERT", Kind::kInsert, KeywordClass::kReserved},
    {"int", "K_INT", Kind::kInt, KeywordClass::kNative},
    {"internals", "K_INTERNALS", Kind::kInternals, KeywordClass::kBasic},
    {"into", "K_INTO", Kind::kInto, KeywordClass::kReserved},
    {"is", "K_IS", Kind::kIs, KeywordClass::kReserved},
    {"json", "K_JSON", Kind::kJson, KeywordClass::kExtra},
    {"key", "K_KEY", Kind::kKey, KeywordClass::kExtra},
    {"keys", "K_KEYS", Kind::kKeys, KeywordClass::kBasic},
    {"keyspace", "K_KEYSPACE", Kind::kKeyspace, KeywordClass::kReserved},
    {"keyspaces", "K_KEYSPACES", Kind::kKeyspaces, KeywordClass::kBasic},
    {"language", "K_LANGUAGE", Kind::kLanguage, KeywordClass::kBasic},
    {"like", "K_LIKE", Kind::kLike, KeywordClass::kBasic},
    {"limit", "K_LIMIT", Kind::kLimit, KeywordClass::kReserved},
    {"list", "K_LIST", Kind::kList, KeywordClass::kBasic},
    {"login", "K_LOGIN", Kind::kLogin, KeywordClass::kBasic},
    {"map", "K_MAP", Kind::kMap, KeywordClass::kBasic},
    {"masked", "K_MASKED", Kind::kMasked, KeywordClass::kBasic},
    {"materialized", "K_MATERIALIZED", Kind::kMaterialized, KeywordClass::kReserved},
    {"maxwritetime", "K_MAXWRITETIME", Kind::kMaxwritetime, KeywordClass::kExtra},
    {"mbean", "K_MBEAN", Kind::kMbean, KeywordClass::kBasic},
    {"mbeans", "K_MBEANS", Kind::kMbeans, KeywordClass::kBasic},
    {"modify", "K_MODIFY", Kind::kModify, KeywordClass::kReserved},
    {"nan", "K_POSITIVE_NAN", Kind::kPositiveNan, KeywordClass::kReserved},
    {"nologin", "K_NOLOGIN", Kind::kNologin, KeywordClass::kBasic},
    {"norecursive", "K_NORECURSIVE", Kind::kNorecursive, KeywordClass::kReserved},
    {"nosuperuser", "K_NOSUPERUSER", Kind::kNosuperuser, KeywordClass::kBasic},
    {"not", "K_NOT", Kind::kNot, KeywordClass::kReserved},
    {"null", "K_NULL", Kind::kNull, KeywordClass::kReserved},
    {"of", "K_OF", Kind::kOf, KeywordClass::kReserved},
    {"on", "K_ON", Kind::kOn, KeywordClass::kReserved},
    {"only", "K_ONLY", Kind::kOnly, KeywordClass::kBasic},
    {"options", "K_OPTIONS", Kind::kOptions, KeywordClass::kBasic},
    {"or", "K_OR", Kind::kOr, KeywordClass::kReserved},
    {"order", "K_ORDER", Kind::kOrder, KeywordClass::kReserved},
    {"partition", "K_PARTITION", Kind::kPartition, KeywordClass::kBasic},
    {"password", "K_PASSWORD", Kind::kPassword, KeywordClass::kBasic},
    {"per", "K_PER", Kind::kPer, KeywordClass::kBasic},
    {"permission", "K_PERMISSION", Kind::kPermission, KeywordClass::kBasic},
    {"permissions", "K_PERMISSIONS", Kind::kPermissions, KeywordClass::kBasic},
    {"primary", "K_PRIMARY", Kind::kPrimary, KeywordClass::kReserved},
    {"rename", "K_RENAME", Kind::kRename, KeywordClass::kReserved},
    {"replace", "K_REPLACE", Kind::kReplace, KeywordClass::kBasic},
    {"returns", "K_RETURNS", Kind::kReturns, KeywordClass::kBasic},
    {"revoke", "K_REVOKE", Kind::kRevoke, KeywordClass::kReserved},
    {"role", "K_ROLE", Kind::kRole, KeywordClass::kBasic},
    {"roles", "K_ROLES", Kind::kRoles, KeywordClass::kBasic},
    {"schema", "K_SCHEMA", Kind::kSchema, KeywordClass::kReserved},
    {"select", "K_SELECT", Kind::kSelect, KeywordClass::kReserved},
    {"select_masked", "K_SELECT_MASKED", Kind::kSelectMasked, KeywordClass::kBasic},
    {"set", "K_SET", Kind::kSet, KeywordClass::kReserved},
    {"sfunc", "K_SFUNC", Kind::kSfunc, KeywordClass::kBasic},
    {"smallint", "K_SMALLINT", Kind::kSmallint, KeywordClass::kNative},
    {"static", "K_STATIC", Kind::kStatic, KeywordClass::kBasic},
    {"storage", "K_STORAGE", Kind::kStorage, KeywordClass::kBasic},
    {"stype", "K_STYPE", Kind::kStype, KeywordClass::kBasic},
    {"superuser", "K_SUPERUSER", Kind::kSuperuser, KeywordClass::kBasic},
    {"table", "K_COLUMNFAMILY", Kind::kColumnfamily, KeywordClass::kReserved},
    {"tables", "K_TABLES", Kind::kTables, KeywordClass::kBasic},
    {"text", "K_TEXT", Kind::kText, KeywordClass::kNative},
    {"time", "K_TIME", Kind::kTime, KeywordClass::kNative},
    {"timestamp", "K_TIMESTAMP", Kind::kTimestamp, KeywordClass::kNative},
    {"timeuuid", "K_TIMEUUID", Kind::kTimeuuid, KeywordClass::kNative},
    {"tinyint", "K_TINYINT", Kind::kTinyint, KeywordClass::kNative},
    {"to", "K_TO", Kind::kTo, KeywordClass::kReserved},
    {"token", "K_TOKEN", Kind::kToken, KeywordClass::kReserved},
    {"trigger", "K_TRIGGER", Kind::kTrigger, KeywordClass::kBasic},
    {"truncate", "K_TRUNCATE", Kind::kTruncate, KeywordClass::kReserved},
    {"ttl", "K_TTL", Kind::kTtl, KeywordClass::kExtra},
    {"tuple", "K_TUPLE", Kind::kTuple, KeywordClass::kBasic},
    {"type", "K_TYPE", Kind::kType, KeywordClass::kBasic},
    {"types", "K_TYPES", Kind::kTypes, KeywordClass::kBasic},
    {"unlogged", "K_UNLOGGED", Kind::kUnlogged, KeywordClass::kReserved},
    {"unmask", "K_UNMASK", Kind::kUnmask, KeywordClass::kBasic},
    {"unset", "K_UNSET", Kind::kUnset, KeywordClass::kBasic},
    {"update", "K_UPDATE", Kind::kUpdate, KeywordClass::kReserved},
    {"use", "K_USE", Kind::kUse, KeywordClass::kReserved},
    {"user", "K_USER", Kind::kUser, KeywordClass::kBasic},
    {"users", "K_USERS", Kind::kUsers, KeywordClass::kBasic},
    {"using", "K_USING", Kind::kUsing, KeywordClass::kReserved},
    {"uuid", "K_UUID", Kind::kUuid, KeywordClass::kNative},
    {"values", "K_VALUES", Kind::kValues, KeywordClass::kBasic},
    {"varchar", "K_VARCHAR", Kind::kVarchar, KeywordClass::kNative},
    {"varint", "K_VARINT", Kind::kVarint, KeywordClass::kNative},
    {"vector", "K_VECTOR", Kind::kVector, KeywordClass::kBasic},
    {"view", "K_VIEW", Kind::kView, KeywordClass::kReserved},
    {"where", "K_WHERE", Kind::kWhere, KeywordClass::kReserved},
    {"with", "K_WITH", Kind::kWith, KeywordClass::kReserved},
    {"writetime", "K_WRITETIME", Kind::kWritetime, KeywordClass::kExtra},
};

struct Sign {
  Kind kind;
  std::string_view name;
};

constexpr Sign kSigns[] = {
    {Kind::kEnd, "EOF"},
    {Kind::kIdent, "IDENT"},
    {Kind::kQuotedName, "QUOTED_NAME"},
    {Kind::kEmptyQuotedName, "EMPTY_QUOTED_NAME"},
    {Kind::kString, "STRING_LITERAL"},
    {Kind::kInteger, "INTEGER"},
    {Kind::kFloatLiteral, "FLOAT"},
    {Kind::kBooleanLiteral, "BOOLEAN"},
    {Kind::kDurationLiteral, "DURATION"},
    {Kind::kUuidLiteral, "UUID"},
    {Kind::kHex, "HEXNUMBER"},
    {Kind::kMark, "QMARK"},
    {Kind::kNegativeNan, "K_NEGATIVE_NAN"},
    {Kind::kNegativeInfinity, "K_NEGATIVE_INFINITY"},
    {Kind::kRange, "RANGE"},
    {Kind::kNotEqual, "'!='"},
    {Kind::kPercent, "'%'"},
    {Kind::kOpen, "'('"},
    {Kind::kClose, "')'"},
    {Kind::kPlus, "'+'"},
    {Kind::kPlusEqual, "'+='"},
    {Kind::kComma, "','"},
    {Kind::kMinus, "'-'"},
    {Kind::kMinusEqual, "'-='"},
    {Kind::kDot, "'.'"},
    {Kind::kSlash, "'/'"},
    {Kind::kColon, "':'"},
    {Kind::kSemicolon, "';'"},
    {Kind::kLess, "'<'"},
    {Kind::kLessEqual, "'<='"},
    {Kind::kEqual, "'='"},
    {Kind::kMore, "'>'"},
    {Kind::kMoreEqual, "'>='"},
    {Kind::kOpenSquare, "'['"},
    {Kind::kStar, "'\\*'"},
    {Kind::kCloseSquare, "']'"},
    {Kind::kExpr, "'expr('"},
    {Kind::kOpenBrace, "'{'"},
    {Kind::kCloseBrace, "'}'"},
};

constexpr std::size_t kKinds = 256;

constexpr std::array<KeywordClass, kKinds> kClasses = [] {
  std::array<KeywordClass, kKinds> classes{};
  for (const Entry& entry : kKeywords)
    classes[static_cast<std::size_t>(entry.kind)] = entry.keyword_class;
  return classes;
}();

}  // namespace

Kind keyword(std::string_view word) {
  const Entry* found = std::ranges::lower_bound(kKeywords, word, {}, &Entry::word);
  return found != std::end(kKeywords) && found->word == word ? found->kind : Kind::kIdent;
}

KeywordClass keyword_class(Kind kind) {
  return kClasses[static_cast<std::size_t>(kind)];
}

std::string_view expected_name(Kind kind) {
  for (const Sign& sign : kSigns) {
    if (sign.kind == kind) return sign.name;
  }
  for (const Entry& entry : kKeywords) {
    if (entry.kind == kind) return entry.name;
  }
  return "<invalid>";
}

}  // namespace tailrace::cql_syntax
