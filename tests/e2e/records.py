"""Records in the shape of randomuser.me, made from a number, and what the example's tables must hold for them."""
import collections
import json
import uuid

COUNTRIES = [("Germany", "DE"), ("France", "FR"), ("Norway", "NO"), ("Türkiye", "TR")]


def user(number, **changes):
    country, nat = COUNTRIES[number % len(COUNTRIES)]
    record = {
        "gender": "female" if number % 3 else "male",
        "name": {"title": "Ms", "first": f"First{number}", "last": f"Läst{number}"},
        "location": {
            "street": {"number": number % 900 + 1, "name": "Mill Lane"}, "city": f"City {number % 25}",
            "state": "State", "country": country, "postcode": 10000 + number if number % 2 else f"P{number} X",
            "coordinates": {"latitude": "-12.5", "longitude": "77.0"},
            "timezone": {"offset": "+1:00", "description": "Berlin"}},
        "email": f"User.{number}@Example.com",
        "login": {"uuid": str(uuid.UUID(int=number * 7919 + 1)), "username": f"user{number}", "password": "x"},
        "dob": {"date": "1980-02-03T04:05:06.789Z", "age": 18 + number % 60},
        "registered": {"date": "2015-06-07T08:09:10.111Z", "age": 9},
        "phone": "01-23", "cell": "04-56", "id": {"name": "", "value": None},
        "picture": {"large": f"https://example.com/{number}.jpg", "medium": "m", "thumbnail": "t"},
        "nat": nat,
    }
    record.update(changes)
    return record


def lines(numbers):
    return "".join(json.dumps(user(n), ensure_ascii=False) + "\n" for n in numbers)


def by_country_gender(numbers):
    """country, gender → how many different users."""
    users = {n: user(n) for n in set(numbers)}
    return dict(collections.Counter((u["location"]["country"], u["gender"]) for u in users.values()))
