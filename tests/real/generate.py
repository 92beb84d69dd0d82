"""Makes N records in the shape of randomuser.me (about 1 KB each), the same ones for the same seed: as tuples of the
topic's relation, and as the Arrow table in which `tailrace spark` exports a topic."""

import random

FIRST = ("Ada Björn Chloé Dilan Emma Filip Grace Hüseyin İrem José Kari Lærke Mia Noël Olga Pablo Quinn Rosa Søren "
         "Tàrio Ulla Vera Wim Xenia Ylva Zoë Maxime Leah Oliver Sofia").split()
LAST = ("Smith Müller García Øvrebø Jørgensen Dubois O'Connor Çelik Novak Silva Kowalski Hansen Van-Dijk Yılmaz Ström "
        "Roux Ferreira Koç Wood Clark Hughes Petit Lopez Walker Murphy Berg Lund Rey Kurz Öztürk").split()
STREETS = ("High Street|Rue de la Paix|Hauptstraße|Calle Mayor|Station Road|Bağdat Cd|Park Avenue|Kirkegata|"
           "Rua São Luís|Church Lane|Mill Road|Dorfstraße|Boulevard de la Duchère").split("|")
COUNTRIES = [  # nat, country, cities, is its post code a number
    ("AU", "Australia", "Perth Cairns Hobart Geelong Darwin Ballarat", True),
    ("BR", "Brazil", "Santos Natal Recife Olinda Belém Maceió", True),
    ("CA", "Canada", "Toronto Windsor Burlington Trenton Hampton Enterprise", False),
    ("CH", "Switzerland", "Bern Zürich Genève Thun Sion Lugano", True),
    ("DE", "Germany", "Berlin Köln Jena Hürth Ulm Trier Görlitz", True),
    ("ES", "Spain", "Madrid Cádiz Vigo Gijón Lugo Málaga", True),
    ("FR", "France", "Paris Lyon Nîmes Créteil Dijon Brest Rouen", True),
    ("GB", "United Kingdom", "Leeds York Bath Ely Truro Wells Ripon", False),
    ("NL", "Netherlands", "Utrecht Delft Zwolle Assen Breda Sneek", False),
    ("NO", "Norway", "Oslo Bergen Tromsø Moss Bodø Ålesund", False),
    ("TR", "Turkey", "Ankara İzmir Bursa Muş Sivas Ağrı Düzce", True),
    ("US", "United States", "Boston Dallas Reno Tulsa Mesa Austin Provo", True),
]
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TOPIC = "users_created"


def user(rng, index):
    """One user's id and its JSON text."""
    nat, country, cities, numeric = COUNTRIES[int(rng.random() ** 1.5 * len(COUNTRIES))]
    cities = cities.split()
    bits = rng.getrandbits(256)
    digest = f"{bits:064x}"
    uuid = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
    female = bits & 1
    first, last = FIRST[bits % 29], LAST[(bits >> 8) % 30]
    gender, title, kind = ("female", "Ms", "women") if female else ("male", "Mr", "men")
    number, age, years = bits % 9000 + 1, (bits >> 16) % 62 + 18, (bits >> 24) % 20 + 1
    code = f"{bits % 89999 + 10000}" if numeric else f'"{chr(65 + bits % 26)}{bits % 90 + 10} {bits % 9}XT"'
    month, day, hour = (bits >> 32) % 12 + 1, (bits >> 36) % 28 + 1, (bits >> 40) % 24
    user_name = f"{title.lower()}{first.lower()}{index % 1000}"
    face = (bits >> 48) % 100
    picture = "https://randomuser.me/api/portraits"
    return uuid, (
        f'{{"gender":"{gender}","name":{{"title":"{title}","first":"{first}","last":"{last}"}},'
        f'"location":{{"street":{{"number":{number},"name":"{STREETS[bits % 13]}"}},'
        f'"city":"{cities[(bits >> 4) % len(cities)]}","state":"State {bits % 17}",'
        f'"country":"{country}","postcode":{code},'
        f'"coordinates":{{"latitude":"{(bits >> 52) % 180 - 90}.{bits % 9973:04d}",'
        f'"longitude":"{(bits >> 60) % 360 - 180}.{bits % 9967:04d}"}},'
        f'"timezone":{{"offset":"+{bits % 12}:00","description":"Zone {bits % 12}"}}}},'
        f'"email":"{digest[:6]}.{index}@example.com",'
        f'"login":{{"uuid":"{uuid}","username":"{user_name}","password":"{digest[20:28]}","salt":"{digest[28:36]}",'
        f'"md5":"{digest[:32]}","sha1":"{digest[:40]}","sha256":"{digest}"}},'
        f'"dob":{{"date":"{2025 - age}-{month:02d}-{day:02d}T{hour:02d}:15:13.{bits % 1000:03d}Z","age":{age}}},'
        f'"registered":{{"date":"{2025 - years}-{month:02d}-{day:02d}T{hour:02d}:51:59.{bits % 997:03d}Z",'
        f'"age":{years}}},'
        f'"phone":"({bits % 900 + 100}) {bits % 997:03d}-{bits % 9973:04d}",'
        f'"cell":"({bits % 800 + 100}) {bits % 991:03d}-{bits % 9967:04d}",'
        f'"id":{{"name":"SSN","value":"{bits % 899 + 100}-{bits % 89 + 10}-{bits % 8999 + 1000}"}},'
        f'"picture":{{"large":"{picture}/{kind}/{face}.jpg","medium":"{picture}/med/{kind}/{face}.jpg",'
        f'"thumbnail":"{picture}/thumb/{kind}/{face}.jpg"}},"nat":"{nat}"}}')


def records(count, seed=42, partitions=2, per_second=1000, start=0):
    """Yields (key, value, partition, offset, timestamp in ms), `count` of them beginning with number `start`."""
    for index in range(start, start + count):
        key, value = user(random.Random(seed * 1_000_003 + index), index)
        yield key, value, index % partitions, index // partitions, START_MS + index * 1000 // per_second


def table(rows):
    import pyarrow as pa
    keys, values, parts, offsets, times = zip(*rows)
    return pa.table({
        "key": pa.array(keys, pa.string()), "value": pa.array(values, pa.string()),
        "topic": pa.array([TOPIC] * len(keys), pa.string()), "partition": pa.array(parts, pa.int32()),
        "offset": pa.array(offsets, pa.int64()),
        "timestamp": pa.array(times, pa.timestamp("ms", "UTC")).cast(pa.timestamp("us", "UTC"))})
