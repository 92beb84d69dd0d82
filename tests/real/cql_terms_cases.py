"""Terms and select clauses, and what a Cassandra answers to them: the oracle of src/cql_terms.

`cql_terms_cases.py HOST:PORT FILE [SEED COUNT]` writes src/cql_terms/testdata/answers.tsv, or random cases. Fields of a line are
separated by tabs; `\\t`, `\\n` and `\\\\` are escaped:

    type     NAME FIELDS                    a user type, fields as `name type, …`
    column   TABLE NAME TYPE KIND ORDER     in the order of SELECT *
    row      TABLE VALUES TIMES             hexadecimal digits or `null` by column, with `;` between; when its cells were written
    term     COLUMN EXPRESSION ANSWER       INSERT INTO terms.v (k, COLUMN) VALUES (0, EXPRESSION)
    select   STATEMENT ANSWER
    prepare  STATEMENT ANSWER               the markers

An answer is `!CODE SENTENCE`, or hexadecimal digits, or columns (`name type`) and rows of digits, lines with `|` between.
Needs a Cassandra that nobody else uses: it makes the keyspace `terms` anew."""
import random
import sys

import cql_wire
from cql_values import native_of

KEYSPACE = "terms"
NATIVE = ("ascii bigint blob boolean date decimal double duration float inet int smallint text time timestamp timeuuid "
          "tinyint uuid varint").split()
NESTED = ["list<int>", "set<text>", "map<text, int>", "frozen<list<int>>", "frozen<set<int>>", "frozen<map<int, text>>",
          "tuple<int, text>", "address", "frozen<address>", "vector<float, 3>", "list<frozen<list<int>>>",
          "set<frozen<tuple<int, text>>>", "map<int, frozen<set<int>>>"]
TYPES = NATIVE + NESTED
COLUMNS = {type_: f"c{i}" for i, type_ in enumerate(TYPES)}

SCHEMA = [
    f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}",
    f"CREATE TYPE {KEYSPACE}.address (street text, zip int, tags frozen<list<text>>)",
    f"CREATE TABLE {KEYSPACE}.v (k int PRIMARY KEY, " + ", ".join(f"{COLUMNS[one]} {one}" for one in TYPES) + ")",
    f"CREATE TABLE {KEYSPACE}.n (k int PRIMARY KEY, n counter)",
    f"""CREATE TABLE {KEYSPACE}.t (k int, "K2" text, c timestamp, d int, st text static, ti tinyint, si smallint, i int,
        b bigint, vi varint, f float, db double, de decimal, x text, a ascii, bl blob, bo boolean, u uuid, tu timeuuid,
        ts timestamp, da date, tm time, du duration, ine inet, l list<int>, s set<text>, m map<text, int>,
        fl frozen<list<int>>, fs frozen<set<int>>, fm frozen<map<int, text>>, tp tuple<int, text>, ad address,
        fad frozen<address>, ve vector<float, 3>, ld list<double>, sd set<decimal>, PRIMARY KEY ((k, "K2"), c, d))
        WITH CLUSTERING ORDER BY (c DESC, d ASC)""",
]
ROWS = [
    """(k, "K2", c, d, st, ti, si, i, b, vi, f, db, de, x, a, bl, bo, u, tu, ts, da, tm, du, ine, l, s, m, fl, fs, fm, tp, ad,
        fad, ve, ld, sd) VALUES (1, 'a', '2020-02-29 10:11:12.345+0000', 1, 'static', 1, 200, -3, 4000000000, 123456789012345678901,
        1.5, -2.25, 3.500, 'text', 'ascii', 0xcafe, true, 6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b, 5a1c395e-b41f-11e5-9f22-ba0be0483c18,
        '2016-01-06 00:20:43+0000', '2016-01-06', '08:12:54.123456789', 1mo2d3h, '127.0.0.1', [3, 1, 2], {'b', 'a', 'c'},
        {'y': 1, 'x': 2, 'z': 3}, [5, 6], {7, 8, 9}, {1: 'one', 2: 'two'}, (1, 'one'), {street: 'S', tags: ['t', 'u']},
        {street: 'F', zip: 5}, [1, 2, 3], [0.5, 2], {1.5, 2.25})""",
    """(k, "K2", c, d, ti, si, i, b, vi, f, db, de, x, l, s, m, fl, tp, ad) VALUES (1, 'a', '2019-12-31 23:59:59.999+0000', 2, 127,
        -32768, 2147483647, 9223372036854775807, -5, 3.4e38, 1.7e308, -1.00, 'zwei', [], {}, {}, [], (null, null), {zip: 9})""",
    """(k, "K2", c, d, ti, si, i, b, vi, f, db, de, x, a) VALUES (2, 'ü', '1969-01-01 00:00:00+0000', 0, -128, 1, -2147483648,
        -9223372036854775808, 0, -0.0, 1.7e308, 12345678901234567890.123, '𝄞nä', '')""",
    """(k, "K2", c, d) VALUES (3, '', '2020-02-29 10:11:12.345+0000', 7)""",
]
LATER = ["l = l + [9]", "s = s + {'d'}", "m['w'] = 7", "ad.zip = 10", "x = 'text'", "i = -3", "f = 1.5"]

TERMS = """1 -1 0 127 128 -32769 2147483648 9223372036854775808 123456789012345678901234567890 1.5 -2.25e10 0.1 NaN -infinity
'text' 'ü' '' '2020-01-01' '10:11:12' '2020-01-01~10:00:00+0100' '1.2.3.4' '::1' '1mo' true FALSE 0x00 0xCAFEBABE 0x 1mo2d 3h -2w
6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b 5a1c395e-b41f-11e5-9f22-ba0be0483c18 null [1,2] [] ['a','b'] [1.5,2,3] [null] {1,2,1} {} {'b','a'}
{2:'b',1:'a'} {'b':2,'a':1} {1:null} (1,'a') (1) (1,'a',2) (null,'x') ('a') [[1],[2,1]] {(1,'b'),(1,'a')} {1:{3,2},0:{}}
{street:'s',zip:1} {zip:2} {street:1} {zip:1,other:2} {street:null,tags:['a']} {street:'a',street:'b'} (int)5 (text)'x' (bigint)7
(list<int>)[1] (frozen<list<int>>)[1] (varint)8 (int)'x' (address){zip:1} (nothing)1 1+2 1+2.5 '2020-01-01'+1d 10/4 10.0/4 1/0 10%3
-(5) -1.5*2 (int)7/2 (decimal)1/3 2+'a' 'a'+'b' (bigint)1+(int)2 1+null 5-3h abs(-3) abs('x') abs() exp(1) log(2.0) log10(100) round(2.5)
round(-2.5) unknown_f(1) system.abs(1) other.abs(1) int_as_blob(3) intAsBlob(3) blob_as_int(0x00000005) blob_as_int(0x05) text_as_blob('a')
blob_as_text(0xff) varchar_as_blob('a') to_timestamp(5a1c395e-b41f-11e5-9f22-ba0be0483c18) to_date('2020-01-01~01:00:00+0000')
to_unix_timestamp('2020-01-01') min_timeuuid('2020-01-01') maxTimeuuid('2020-01-01~00:05+0000') mintimeuuid(0)
to_json(1) to_json('a') to_json([1,2]) to_json((int)5) from_json('[1,2]') from_json('"x"') fromJson('{"a":1}') 
from_json(null) from_json('null') from_json('5') token(1) token(1,2) count(1) sum(1) max(1) min(1,2) map_keys({'a':1,'b':2}) map_values({'b':2,'a':1})
collection_count([1,2,3]) collection_count(1) collection_min({3,1,2}) collection_sum([1,2]) collection_sum(['a']) collection_avg({1,2,4})
collection_max([]) mask_null(5) mask_null('a') mask_default('a') mask_default(5) mask_replace('a','b') mask_replace(5,'b') mask_inner('abcdef',1,2)
mask_inner('abcdef',1,2,'#') mask_inner('abc',null,1) mask_outer('abcdef',2,2) mask_outer('abc',1,1,'##') mask_hash('a') mask_hash('a','MD5')
mask_hash('a','nope') mask_inner(5,1,1) similarity_cosine([1,2,3],[3,2,1]) similarity_euclidean([1,2],[2,1]) similarity_dot_product([1,0],[0,1,1])
cast(1~AS~text) floor('2020-01-05',2d) floor('2020-02-29~10:11:12+0000',1h) floor('10:11:12',5m) floor(1,2) uuid(1) current_timestamp(1)
? :name [?] {1,?} {1:?} (?,'a') {zip:?} abs(?) abs((int)?) ?+1 ?+? (int)?+1 -? -(int)? to_json(?) [abs(-1),2] {abs(-2),1} (abs(-1),'x')""".split()
# What a space would cut, and what only some of the types are asked.
MORE = [
    ("text", "cast(1 AS text)"), ("text", "cast((int) 1 AS text)"), ("int", "cast((text) 'a' AS int)"), ("int", "cast(1.7 AS int)"),
    ("bigint", "cast((int) 300 AS tinyint)"), ("tinyint", "cast((int) 300 AS tinyint)"), ("date", "cast(5a1c395e-b41f-11e5-9f22-ba0be0483c18 AS date)"),
    ("timestamp", "'2020-01-31' + 1mo"), ("timestamp", "'2020-02-29' - 1y"), ("timestamp", "(timestamp) '2020-01-31' + 1mo"),
    ("timestamp", "(timestamp) '2020-02-29' - 1y"), ("timestamp", "(timestamp) '2020-02-29' + 1mo1d1h"), ("timestamp", "(timestamp) '2020-01-01' + 1us"),
    ("date", "(date) '2020-01-31' + 1mo"), ("date", "(date) '2020-01-31' + 1h"), ("date", "(date) '1969-12-31' - 2d"),
    ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 1mo)"), ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 7mo)"),
    ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 1mo3d)"), ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 5h)"),
    ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 2d, (timestamp) '2020-02-01')"),
    ("timestamp", "floor((timestamp) '2020-02-29 10:11:12+0000', 2mo, (timestamp) '2019-12-31')"),
    ("timestamp", "floor((timestamp) '1960-02-29 10:11:12+0000', 2h)"), ("timestamp", "floor((timestamp) '2020-02-29', -2h)"),
    ("timestamp", "floor((timestamp) '2020-02-29', 5us)"), ("timestamp", "floor((timestamp) '2020-02-29 10:00+0000', 0h)"),
    ("date", "floor((date) '2020-02-29', 1mo)"), ("date", "floor((date) '2020-02-29', 10d)"), ("date", "floor((date) '2020-02-29', 1h)"),
    ("date", "floor((date) '2020-02-29', 10d, (date) '2020-01-03')"), ("time", "floor((time) '10:11:12.123', 1h)"),
    ("time", "floor((time) '10:11:12.123', 1d)"), ("time", "floor((time) '10:11:12.123', 48h)"), ("time", "floor((time) '10:11:12.5', 7us)"),
    ("timestamp", "floor(5a1c395e-b41f-11e5-9f22-ba0be0483c18, 1d)"), ("text", "(text) 'a' + 'ü'"), ("text", "(ascii) 'a' + (text) 'ü'"),
    ("int", "2147483647 + 1"), ("int", "(int) 2147483647 + (int) 1"), ("tinyint", "(tinyint) 127 + (tinyint) 1"),
    ("bigint", "(bigint) 9223372036854775807 * (bigint) 3"), ("bigint", "(bigint) -9223372036854775808 / (bigint) -1"),
    ("int", "(int) -2147483648 % (int) -1"), ("int", "(int) 5 / (int) 0"), ("int", "(int) 5 % (int) 0"), ("double", "(double) 5 / (double) 0"),
    ("double", "(double) 5 % (double) 0"), ("float", "(float) 0.1 + (float) 0.2"), ("float", "(int) 1 / (float) 3"), ("double", "(bigint) 1 / (float) 3"),
    ("varint", "(varint) 5 / (varint) 0"), ("varint", "(varint) -7 / (varint) 2"), ("varint", "(varint) -7 % (varint) 2"),
    ("varint", "(varint) 123456789012345678901234567890 * (varint) -987654321098765432109876543210"), ("decimal", "(decimal) 1 / (decimal) 0"),
    ("decimal", "(decimal) 0 / (decimal) 0"), ("decimal", "(decimal) 5 % (decimal) 0"), ("decimal", "(decimal) 0 % (decimal) 0"),
    ("decimal", "(decimal) 10 / (decimal) 4"), ("decimal", "(decimal) 1E100 / (decimal) 7"), ("decimal", "(decimal) 1E-100 / (decimal) 7"),
    ("decimal", "(decimal) 7.25 % (decimal) -2.5"), ("decimal", "(decimal) 1.50 + (decimal) 2.5"), ("decimal", "(decimal) 1.50 * (decimal) -2.50"),
    ("decimal", "(int) 1 + (decimal) 2.5"), ("decimal", "(float) 0.1 + (decimal) 2.5"), ("decimal", "(varint) 3 + (double) 0.5"),
    ("decimal", "(double) NaN + (decimal) 1"), ("decimal", "(double) Infinity + (varint) 1"),
    ("decimal", "-(decimal) 1.50"), ("varint", "-(varint) 5"), ("tinyint", "-(tinyint) -128"), ("float", "-(float) 0.0"),
    ("decimal", "abs((decimal) -1.50)"), ("varint", "abs((varint) -5)"), ("int", "abs((int) -2147483648)"), ("float", "abs((float) -0.0)"),
    ("int", "exp((int) 5)"), ("int", "exp((int) 50)"), ("tinyint", "exp((tinyint) 6)"), ("bigint", "exp((bigint) 40)"), ("double", "exp((double) 1)"),
    ("float", "exp((float) 1)"), ("decimal", "exp((decimal) 1)"), ("decimal", "exp((decimal) 0)"), ("decimal", "exp((decimal) -20.5)"),
    ("decimal", "exp((decimal) 123.456)"), ("decimal", "exp((decimal) 1E-5)"), ("varint", "exp((varint) 50)"), ("varint", "exp((varint) -5)"),
    ("int", "log((int) 100)"), ("int", "log((int) 0)"), ("int", "log((int) -1)"), ("decimal", "log((decimal) 2)"), ("decimal", "log((decimal) 10)"),
    ("decimal", "log((decimal) 0.001)"), ("decimal", "log((decimal) 123456789.5)"), ("decimal", "log((decimal) 1)"), ("decimal", "log((decimal) 1.0000001)"),
    ("decimal", "log((decimal) 0.9999)"), ("varint", "log((varint) 1000000)"), ("decimal", "log10((decimal) 2)"), ("decimal", "log10((decimal) 100)"),
    ("decimal", "log10((decimal) 0.001)"), ("decimal", "log10((decimal) 1)"), ("decimal", "log10((decimal) 12345.678)"), ("varint", "log10((varint) 1000)"),
    ("double", "log10((double) 1000)"), ("double", "log((double) 10)"), ("float", "log((float) 10)"), ("smallint", "log10((smallint) 1000)"),
    ("double", "round((double) 2.5)"), ("double", "round((double) -2.5)"), ("double", "round((double) NaN)"), ("double", "round((double) 1e300)"),
    ("float", "round((float) 2.5)"), ("float", "round((float) 1e20)"), ("decimal", "round((decimal) 2.5)"), ("decimal", "round((decimal) -2.5)"),
    ("decimal", "round((decimal) 1E+3)"), ("decimal", "round((decimal) 0.4)"), ("int", "round((int) 5)"), ("double", "round((double) 0.49999999999999994)"),
    ("vector<float, 3>", "[?, 1, 2]"), ("vector<float, 3>", "[1, 2]"), ("vector<float, 3>", "[1, null, 2]"), ("vector<float, 3>", "[abs(-1.5), 1, 2]"),
    ("float", "similarity_cosine((vector<float, 3>) [1, 2, 3], [3, 2, 1])"), ("float", "similarity_euclidean((vector<float, 2>) [1, 2], (vector<float, 2>) [2, 1])"),
    ("float", "similarity_dot_product((vector<float, 2>) [1, 0], (vector<float, 2>) [0.5, 1])"), ("float", "similarity_cosine((vector<float, 2>) [0, 0], (vector<float, 2>) [0.5, 1])"),
    ("int", "(int) 1 + (smallint) 2 * (tinyint) 3"), ("bigint", "1 + (bigint) 2"), ("int", "1 + (bigint) 2"), ("set<text>", "['a']"), ("list<int>", "{1}"),
    ("list<int>", "[1, 'a']"), ("map<text, int>", "{1: 1}"), ("map<text, int>", "{'a': 'b'}"), ("set<text>", "{abs(1)}"),
    ("address", "{street: abs(1)}"), ("frozen<address>", "{street: ?, zip: ?}"), ("tuple<int, text>", "(?, ?)"), ("tuple<int, text>", "'1:a'"),
    ("tuple<int, text>", "'1:a:b'"), ("tuple<int, text>", "'@:a'"), ("list<int>", "map_values({'a': 1})"), ("set<text>", "map_keys({'a': 1})"),
    ("list<int>", "(list<int>) [1] "), ("text", "to_json((tuple<int, text>) (1, 'a'))"),
    ("text", "to_json((map<int, text>) {1: 'a'})"), ("blob", "text_as_blob(to_json((uuid) 6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b))"),
    ("blob", "timestamp_as_blob('2020-01-01')"), ("blob", "bigint_as_blob(max_timeuuid(5))"), ("text", "mask_inner('𝄞abc', 1, 1)"), ("text", "mask_outer('abc', -5, 9)"),
    ("ascii", "mask_inner((ascii) 'abcdef', 1, 2)"), ("text", "mask_inner('abcdef', 1, 2, 'ü')"), ("blob", "mask_hash((int) 5, 'SHA-512')"),
    ("blob", "mask_hash((int) 5, 'sha3-256')"), ("blob", "mask_hash((int) 5, 'SHA-1')"), ("blob", "mask_hash((text) null)"),
]
DEFAULT_MASKS = [(one, f"mask_default(({one}) null)") for one in TYPES if "address" not in one]
# What ours does otherwise (src/cql_terms/README.md): bytes that are no value of a type. What Cassandra gives as a class of
# its own, for which drivers have no name, is a timeuuid.
DIFFERENT = {("tinyint", "0xCAFEBABE"), ("tinyint", "0x"), ("tuple<int, text>", "0x00")}

NUMBERS = "ti si i b vi f db de".split()
NAMES = """k "K2" c d st ti si i b vi f db de x a bl bo u tu ts da tm du ine l s m fl fs fm tp ad fad ve ld sd""".split()
OF_EACH = ["{0}", "count({0})", "min({0})", "max({0})", "sum({0})", "avg({0})", "writetime({0})", "maxwritetime({0})", "ttl({0})", "cast({0} AS text)",
           "cast({0} AS int)", "cast({0} AS timestamp)", "cast({0} AS decimal)", "to_json({0})", "{0} + {0}", "{0} / 2", "-{0}", "{0} + 1d", "abs({0})", "round({0})",
           "({0})", "[{0}]", "{{{0}}}", "({0}, 1)", "mask_default({0})", "mask_null({0})", "mask_hash({0})", "{0}['b']", "{0}['b'..'c']", "{0}['b'..]", "{0}[..8]",
           "{0}[1]", "{0}.zip", "{0}.street", "collection_count({0})", "collection_min({0})", "collection_max({0})", "collection_sum({0})", "collection_avg({0})",
           "map_keys({0})", "map_values({0})", "blob_as_text({0})", "token({0})", "to_date({0})", "to_unix_timestamp({0})", "floor({0}, 2d)"]
SELECTORS = """*;k, k;k AS x, "K2" AS "Y";count(*);count(1);count('a');count(1) AS n;count(k), max(i);max(i), k;k, max(i), i;sum(i) + 1;max(i) * 2 + min(i);
max(max(i));max(i + 1);count(max(i));token(k);token(k, "K2");token("K2");token(k, "K2", c);nothing;nothing(k);system.nothing(k);other.abs(k);abs(nothing);i.zip;
ad.zip, ad.street, ad.tags, fad.zip;ad.other;fad.tags;writetime(ad.zip), writetime(ad.street), ttl(ad.zip), maxwritetime(ad);writetime(fad.zip);writetime(m['y']);
writetime(m['w']);writetime(m['nothing']);writetime(m['x'..'y']);writetime(s['b']);writetime(s['b'..]);maxwritetime(s['b'..'c']);ttl(m['y']);writetime(fs[8]);writetime(fs[8..]);
writetime(fs[10..]);writetime(l);maxwritetime(l);maxwritetime(m), maxwritetime(s);writetime(k);ttl(c);writetime(st);count(writetime(x));max(writetime(x));max(maxwritetime(l));m['y'];m['nothing'];m[null];
m[1];s['b'];s['nothing'];l[0];fl[0];fs[8];fm[1];fm[1..];fm[2..1];fs[20..];fs[..8];s['b'..'b'];s['c'..'a'];m['x'..'y'];m['x'..];m[..'x'];m[null..];x['a'];tp[0];
m['x'..'y']['y'];cast(k AS text);cast(k AS int);cast(x AS ascii);cast(cast(k AS text) AS text);cast(cast(i AS bigint) AS text) AS z;cast(k AS uuid);cast(count(*) AS text);
cast(avg(i) AS double);avg(cast(i AS double));1;'a';null;(int) 1;(text) 'a';(int) 'a';(bigint) 5 + 2;(int) 5 + i;1 + i;i + 1.5;i + '1';1 + 2;(int) 1 + (int) 2;(int) 1 / (int) 0;
i / 0;db / 0;de / 3;de * de;vi * vi;b + b;ti + ti;f * f;f + de;i % 2;-(i + 1);-i + k;(i + k) * 2;i + k * 2;((i));(k);(k, i);(i, 'a');(int, text) (1, 'a');(tuple<int, text>) (i, x);
(tuple<int, text>) (i, 'a');(tuple<int, text>) (i, x, 1);[k, i];[1, i];[i, 'a'];[1];(list<int>) [1, i];(list<int>) ['a'];{k, i};{1};{};(set<int>) {};(set<int>) {1, k, 1};(map<int, int>) {};
(map<int, int>) {1: k, 2: 5};{k: i};(map<text, int>) {'a': i};(address) {street: x, zip: i};(address) {zip: 'a'};(address) {other: 1};(address) {zip: i}.zip;
(vector<float, 2>) [f, 1];(vector<float, 2>) [1, 2];(vector<float, 3>) [1, 2];ve;similarity_cosine(ve, [1, 2, 3]);similarity_euclidean(ve, ve);similarity_cosine(ve, [1, 2]);
similarity_dot_product([1, 2, 3], [1, 2, 3]);to_json(ad);to_json(m);from_json(x);uuid(1);now(1);min_timeuuid(ts);max_timeuuid('2020-01-01');to_timestamp(tu);to_date(ts) + 1mo;
ts + du;ts - 1mo;da + 1mo;da + 1h;ts + 1us;tm + 1h;floor(c, 1h);floor(c, 1mo);floor(ts, 1h);floor(tu, 1d);floor(da, 1mo);floor(tm, 1h);x + a;x + 'b';a + a;a + 'b';'b' + 'c';
(text) 'b' + 'c';x + 1;mask_inner(x, 1, 1);mask_outer(x, 1, 1, 'ü');mask_inner(i, 1, 1);mask_replace(i, 5);mask_replace(x, 5);mask_hash(x, 'MD5');mask_default(ad);int_as_blob(i);
blob_as_int(int_as_blob(i));blob_as_int(bl);bigint_as_blob(i);text_as_blob(x);varchar_as_blob(x);map_keys(m);map_values(fm);map_keys(s);collection_sum(ld);collection_avg(sd);collection_sum(s);
collection_min(s), collection_max(fs);collection_avg(fs);collection_avg(fl);map_values(m)['a'];collection_count(m), collection_count(l);max(m);min(l);max(tp);min(ad);sum(x);avg(x);sum(ti), sum(si), sum(b), sum(vi);
avg(ti), avg(si), avg(b), avg(vi);sum(f), sum(db), sum(de);avg(f), avg(db), avg(de);min(x), max(x), min(u), max(tu), min(da), max(ine), min(bo);count(st), count(x), count(l), count(ad);
max(c), min(c), max(d);count(*), sum(i), k, "K2";exp(ti);log(i);round(db), round(de), round(f);abs(de), abs(vi), abs(i), abs(ti);max(abs(i));abs(max(i));
abs(k, 1);abs();abs(x);min();max(1);max((int) 1);count();count(k, i);sum(1);avg((int) 1);sum((decimal) 1.5);min(ad.zip), max(m['y']);min(writetime(m))""".replace("\n", "").split(";")
GROUPED = ["SELECT k, count(*) FROM {} GROUP BY k, \"K2\"", "SELECT k, i FROM {} GROUP BY k, \"K2\"", "SELECT k, max(i), x, ad.zip, writetime(x), i + 1 FROM {} GROUP BY k, \"K2\"",
           "SELECT * FROM {} GROUP BY k, \"K2\"", "SELECT JSON k, sum(i) AS \"Sum\" FROM {} GROUP BY k, \"K2\""]
JSON = ["*", "k, \"K2\", x", "k AS \"Big\", count(*)", "ad, m, tp, ve", "writetime(x), cast(k AS text)", "x AS \"a \"\"b\"\" c\"", "l[0]"]
DISTINCT = ["k, \"K2\"", "k", "k, \"K2\", st", "k, \"K2\", i", "c", "*", "st", "token(k, \"K2\")", "k, \"K2\", writetime(st)", "k, \"K2\", count(*)"]
PREPARED = ["INSERT INTO terms.v (k, {0}) VALUES (?, ?)", "INSERT INTO terms.v (k, {0}) VALUES (:a, :\"B\")"]
MARKERS = ["INSERT INTO terms.v (k, c10) VALUES (?, abs((int) ?))", "INSERT INTO terms.v (k, c10) VALUES (?, (int) ? + (int) ?)",
           "INSERT INTO terms.v (k, c23) VALUES (0, ?)", "INSERT INTO terms.v (k, c25) VALUES (0, (?, ?))", "INSERT INTO terms.v (k, c26) VALUES (0, {street: ?, zip: ?})",
           "INSERT INTO terms.v (k, c26) VALUES (0, {tags: ?})", "INSERT INTO terms.v (k, c28) VALUES (0, [?, 1, ?])", "SELECT (int) ? FROM terms.t", "SELECT ? FROM terms.t",
           "SELECT i + ? FROM terms.t", "SELECT i + (int) ? AS x FROM terms.t", "SELECT m[?], s[? .. ?] FROM terms.t", "SELECT fm[?] FROM terms.t",
           "SELECT mask_replace(i, ?) FROM terms.t", "SELECT floor(c, ?) FROM terms.t", "SELECT abs(?) FROM terms.t", "SELECT to_json(?) FROM terms.t", "SELECT [i, ?] FROM terms.t",
           "SELECT (i, ?) FROM terms.t", "SELECT (tuple<int, text>) (i, ?) FROM terms.t", "SELECT (address) {zip: ?} FROM terms.t", "SELECT max(?) FROM terms.t",
           "SELECT max((int) ?) FROM terms.t", "SELECT token(?, ?) FROM terms.t", "SELECT mask_inner(x, ?, ?) FROM terms.t", "SELECT count(?) FROM terms.t",
           "INSERT INTO terms.v (k, c12) VALUES (0, from_json(?))", "INSERT INTO terms.v (k, c12) VALUES (0, to_json(?))", "INSERT INTO terms.v (k, c20) VALUES (0, {?})"]


def escaped(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def digits(data):
    return "null" if data is None else "0x" + data.hex()


def sentence(answer):
    """Signatures come in no order: how many, and the first and the last when they are sorted."""
    head, colon, rest = answer.message.partition("signatures: ")
    if colon:
        listed, end, tail = rest.rpartition(")")
        sorted_ = sorted(listed.removeprefix("system.").split(", system."))
        head += f"{colon}{len(sorted_)}: {sorted_[0]} … {sorted_[-1]}{end}{tail}"
    return f"!{answer.code:#06x} {head}"


def told_by_others(answer):
    """A Java exception that nobody caught, what the parsers of CQL and of JSON say."""
    return answer.code == 0x2000 or answer.code == 0 and "ArithmeticException" not in answer.message \
        or "JSON string" in (answer.message or "")


def of_columns(columns):
    text = "|".join(f"{one.name} {native_of(one.type)}" for one in columns)
    marshal = "'org.apache.cassandra.db.marshal."
    return text.replace(f"{marshal}DurationType'", "duration").replace(f"{marshal}LegacyTimeUUIDType'", "timeuuid")


def result(answer):
    if answer.code is not None:
        return sentence(answer)
    return "\n".join([of_columns(answer.columns)] + ["|".join(map(digits, row)) for row in answer.rows])


class Asker:
    def __init__(self, address, out):
        self.connection, self.out = cql_wire.Connection(address), out

    def write(self, *fields):
        self.out.write("\t".join(map(escaped, fields)) + "\n")

    def must(self, statement):
        answer = self.connection.query(statement)
        assert answer.code is None, f"{statement}: {answer.message}"
        return answer

    def prepare_schema(self):
        self.connection.query(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
        for statement in SCHEMA:
            self.must(statement)
        for i, row in enumerate(ROWS):
            self.must(f"INSERT INTO {KEYSPACE}.t {row} USING TIMESTAMP {1000 + i}")
        where = """WHERE k = 1 AND "K2" = 'a' AND c = '2020-02-29 10:11:12.345+0000' AND d = 1"""
        for i, change in enumerate(LATER):
            self.must(f"UPDATE {KEYSPACE}.t USING TIMESTAMP {2000 + i} SET {change} {where}")

    def describe(self):
        fields = "street text, zip int, tags frozen<list<text>>"
        self.write("type", "address", fields)
        for table in ("v", "t"):
            query = f"FROM system_schema.columns WHERE keyspace_name = '{KEYSPACE}' AND table_name = '{table}'"
            rows = self.must(f"SELECT column_name, type, kind, clustering_order {query}").rows
            known = {name.decode(): [one.decode() for one in rest] for name, *rest in rows}
            every = self.must(f"SELECT * FROM {KEYSPACE}.{table}")
            for column in every.columns:
                self.write("column", table, column.name, *known[column.name])
        quoted = [f'"{one.name}"' for one in every.columns]
        times = []
        for column, name in zip(every.columns, quoted):
            keyed = known[column.name][1] in ("partition_key", "clustering")
            answer = None if keyed else self.must(f"SELECT writetime({name}) FROM {KEYSPACE}.t")
            times.append([self.cells(answer.columns[0], row[0]) if answer else "" for row in answer.rows] if answer else
                         [""] * len(every.rows))
        for i, row in enumerate(every.rows):
            self.write("row", "t", ";".join(map(digits, row)), ";".join(one[i] for one in times))

    @staticmethod
    def cells(column, data):
        """Writetimes with commas between; those of fields that are null are left out."""
        if data is None:
            return ""
        if column.type.kind != "list":
            return str(int.from_bytes(data, "big"))
        out, at = [], 4
        for _ in range(int.from_bytes(data[:4], "big")):
            size = int.from_bytes(data[at:at + 4], "big", signed=True)
            if size >= 0:
                out.append(str(int.from_bytes(data[at + 4:at + 4 + size], "big")))
            at += 4 + max(size, 0)
        return ",".join(out)

    def term(self, type_, expression):
        column = COLUMNS[type_]
        statement = f"INSERT INTO {KEYSPACE}.v (k, {column}) VALUES (0, {expression})"
        if "?" in expression or ":name" in expression:
            return self.prepare(statement)
        self.must(f"DELETE FROM {KEYSPACE}.v WHERE k = 0")
        answer = self.connection.query(statement)
        if answer.code is None:
            answer = self.connection.query(f"SELECT {column} FROM {KEYSPACE}.v WHERE k = 0")
            told = digits(answer.rows[0][0])
        else:
            told = sentence(answer)
        if not told_by_others(answer):
            self.write("term", column, expression, told)

    def select(self, statement):
        answer = self.connection.query(statement)
        if not told_by_others(answer):
            self.write("select", statement, result(answer))

    def prepare(self, statement):
        answer = self.connection.prepare(statement)
        if not told_by_others(answer):
            self.write("prepare", statement, sentence(answer) if answer.code is not None else of_columns(answer.markers))


def all_cases(asker):
    for type_ in TYPES:
        for expression in TERMS:
            if (type_, expression) not in DIFFERENT:
                asker.term(type_, expression.replace("~", " "))
    for type_, expression in MORE + DEFAULT_MASKS:
        asker.term(type_, expression)
    for pattern in OF_EACH:
        for name in NAMES:
            asker.select(f"SELECT {pattern.format(name)} FROM {KEYSPACE}.t")
    for one in SELECTORS:
        asker.select(f"SELECT {one.strip()} FROM {KEYSPACE}.t")
    for one in GROUPED:
        asker.select(one.format(f"{KEYSPACE}.t"))
    for one in JSON:
        asker.select(f"SELECT JSON {one} FROM {KEYSPACE}.t")
    for one in DISTINCT:
        asker.select(f"SELECT DISTINCT {one} FROM {KEYSPACE}.t")
    for pattern in PREPARED:
        for type_ in TYPES:
            asker.prepare(pattern.format(COLUMNS[type_]))
    for one in MARKERS:
        asker.prepare(one)


class Random:
    """Expressions nobody chose: constants of all kinds in calls, operators and literals."""
    FUNCTIONS = ("abs round exp log log10 to_json mask_null mask_default mask_hash to_date to_timestamp to_unix_timestamp "
                 "map_keys map_values collection_count collection_min collection_max collection_sum collection_avg int_as_blob "
                 "text_as_blob bigint_as_blob count sum avg min max").split()
    CONSTANTS = [one for one in TERMS if not set(one) & set("?:[]{}(+") and len(one) < 40 and one != "1e400"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self):
        kind = self.random.choice("tinyint smallint int bigint varint float double decimal".split())
        top = {"tinyint": 127, "smallint": 32767, "int": 2**31 - 1, "bigint": 2**63 - 1}.get(kind, 10**25)
        whole = self.random.choice([self.random.randint(-top - 1, top), self.random.randint(-9, 9)])
        if kind in ("float", "double", "decimal"):
            return f"({kind}) {whole % 10**9}.{self.random.randint(0, 999)}"
        return f"({kind}) {whole}"

    def term(self, depth, leaf):
        pick = self.random.random()
        if depth == 0 or pick < 0.3:
            return leaf()
        inner = [self.term(depth - 1, leaf) for _ in range(self.random.randint(1, 2))]
        if pick < 0.6:
            return f"({self.term(depth - 1, leaf)} {self.random.choice('+-*/%')} {inner[0]})"
        if pick < 0.75:
            return f"{self.random.choice(self.FUNCTIONS)}({', '.join(inner)})"
        if pick < 0.85:
            return f"cast({inner[0]} AS {self.random.choice(NATIVE)})"
        shape = self.random.choice(["[{}]", "{{{}}}", "({})", "-{}"])
        return shape.format(inner[0] if shape == "-{}" else ", ".join(inner))

    def leaf(self):
        return self.number() if self.random.random() < 0.6 else self.random.choice(self.CONSTANTS)

    def selected(self):
        return self.random.choice([*NAMES, *NUMBERS, *NUMBERS, self.number()])

    def cases(self, asker, count):
        for _ in range(count):
            asker.term(self.random.choice(TYPES), self.term(2, self.leaf))
            asker.select(f"SELECT {self.term(2, self.selected)} FROM {KEYSPACE}.t")


def main(address, file, seed=None, count="0"):
    with open(file, "w", encoding="utf-8") as out:
        asker = Asker(address, out)
        asker.prepare_schema()
        asker.describe()
        if seed is None:
            all_cases(asker)
        else:
            Random(int(seed)).cases(asker, int(count))


if __name__ == "__main__":
    main(*sys.argv[1:])
