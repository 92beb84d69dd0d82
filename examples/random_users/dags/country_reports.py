"""What the tasks of country_reports.yml call."""
import json


def choose(users, enough):
    """The branch that is taken: the reports, or nothing where there are too few users."""
    return "reports.queries" if int(users) >= int(enough) else "too_few"


def queries(countries):
    """A query for each place among the countries with the most users."""
    ranked = "SELECT country, count(*) AS users FROM users GROUP BY country ORDER BY users DESC, country LIMIT"
    return [f"SELECT users, country FROM ({ranked} {place}) ORDER BY users, country DESC LIMIT 1"
            for place in range(1, int(countries) + 1)]


def summary(reports):
    """One line of all reports."""
    line = ", ".join(f"{one['country']} {one['users']}" for one in json.loads(reports))
    print(line)
    return line
