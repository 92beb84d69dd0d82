"""The example's tables from its records, from scratch in plain Python: a third opinion beside Tailrace and Spark.

Which row is late depends on the steps it came in: those that were found late are given, and are counted in no minute.
"""

import collections
import datetime
import json
import statistics
from decimal import ROUND_HALF_UP, Decimal

UTC = datetime.timezone.utc
CLEAN = ("id first_name last_name gender address post_code email username dob registered_date phone picture "
         "nationality age country city source_partition source_offset source_timestamp").split()


def half_up(number):
    return None if number is None else float(Decimal(repr(number)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def moment(ms):
    return datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=ms)


def parsed_time(text):
    try:
        time = datetime.datetime.fromisoformat(text)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def at(value, *path):
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def trimmed(text):
    return None if text is None else text.strip(" ")


def lowered(text):
    return None if text is None else trimmed(text).lower()


def clean(value, partition, offset, time):
    u = json.loads(value)
    number, code = at(u, "location", "street", "number"), at(u, "location", "postcode")
    street = " ".join(str(part) for part in (number, at(u, "location", "street", "name")) if part is not None)
    parts = [street] + [at(u, "location", name) for name in ("city", "state", "country")]
    gender, nat, born = lowered(at(u, "gender")), at(u, "nat"), parsed_time(at(u, "dob", "date"))
    return dict(zip(CLEAN, (
        lowered(at(u, "login", "uuid")), trimmed(at(u, "name", "first")), trimmed(at(u, "name", "last")),
        gender if gender in ("female", "male") else "unknown", ", ".join(p for p in parts if p is not None),
        None if code is None else str(code), lowered(at(u, "email")), at(u, "login", "username"),
        born and born.date(), parsed_time(at(u, "registered", "date")), at(u, "phone"),
        at(u, "picture", "large") or at(u, "picture", "medium"), nat.upper() if nat else "unknown", at(u, "dob", "age"),
        at(u, "location", "country") or "unknown", at(u, "location", "city") or "unknown", partition, offset,
        moment(time))))


def is_json(value):
    try:
        json.loads(value)
        return True
    except ValueError:
        return False


def broken(row):
    email = row["email"]
    has_email = email is not None and "@" in email[1:-1]
    return [name for name, holds in (("has_id", row["id"] is not None), ("has_email", has_email)) if not holds]


def users_of(rows):
    first = {}
    for row in sorted(rows, key=lambda r: (r["source_timestamp"], r["source_partition"], r["source_offset"])):
        first.setdefault(row["id"], row)
    return [{**{n: row[n] for n in CLEAN[:16]}, "created_at": row["source_timestamp"]} for row in first.values()]


def closed(rows):
    """The rows whose minute has come out."""
    mark = max((row["source_timestamp"] for row in rows), default=None)
    delay = datetime.timedelta(minutes=1, seconds=10)
    return [row for row in rows if row["source_timestamp"].replace(second=0, microsecond=0) + delay <= mark]


def minutes(rows, late):
    count = collections.Counter((r["source_timestamp"].replace(second=0, microsecond=0), r["country"])
                                for r in closed(rows) if (r["source_partition"], r["source_offset"]) not in late)
    return [{"minute": minute, "country": country, "signups": signups} for (minute, country), signups in count.items()]


def ages(users):
    groups = collections.defaultdict(list)
    for user in users:
        groups[user["nationality"]].append(user["age"])
    return [{"nationality": nat, "users": len(known), "avg_age": half_up(sum(known) / len(known)) if known else None,
             "min_age": min(known, default=None), "max_age": max(known, default=None),
             "stddev_age": half_up(statistics.stdev(known)) if len(known) > 1 else None}
            for nat, known in ((n, [a for a in every if a is not None]) for n, every in groups.items())]


def tables(records, late=()):
    """All tables as lists of dicts, from (key, value, partition, offset, timestamp in ms) and the late ones' places."""
    named = [dict(key=k, value=v, topic="users_created", partition=p, offset=o, timestamp=moment(t))
             for k, v, p, o, t in records]
    good = [r for r, row in zip(records, named) if row["value"] is None or is_json(row["value"])]
    rows = [clean("{}" if value is None else value, p, o, t) for _, value, p, o, t in good]
    kept = [row for row in rows if not broken(row)]
    users = users_of(kept)
    by_gender = collections.Counter((u["country"], u["gender"]) for u in users)
    cities = sorted(collections.Counter((u["city"], u["country"]) for u in users).items(), key=lambda c: (-c[1], c[0]))
    latest = sorted(sorted(users, key=lambda u: u["id"]), key=lambda u: u["created_at"], reverse=True)
    return {
        "users_raw": [row for row in named if row["value"] is None or is_json(row["value"])],
        "users_created__rejected": [row for row in named if row["value"] is not None and not is_json(row["value"])],
        "users_clean": kept,
        "users_clean__quarantine": [{**row, "reason": ", ".join(broken(row))} for row in rows if broken(row)],
        "users": users,
        "users_by_country_gender": [{"country": c, "gender": g, "users": n} for (c, g), n in by_gender.items()],
        "signups_per_minute": minutes(kept, set(late)),
        "age_by_nationality": ages(users),
        "top_cities": [{"city": city, "country": country, "users": n} for (city, country), n in cities[:10]],
        "latest_users": [{n: u[n] for n in ("id", "first_name", "last_name", "country", "created_at")}
                         for u in latest[:20]],
    }
