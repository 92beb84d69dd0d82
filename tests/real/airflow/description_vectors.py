"""Airflow's words for crons: `description_vectors.py SEED COUNT` > src/calendar/testdata/descriptions.txt

Runs in a Python with Airflow. A line is an expression, a tab and the description of CronTriggerTimetable, which is
empty where it has none.
"""
import sys
import warnings

warnings.simplefilter("ignore")

import cron_expressions  # noqa: E402
from airflow.timetables.trigger import CronTriggerTimetable  # noqa: E402
from croniter import croniter  # noqa: E402


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    written = [text for text in cron_expressions.WRITTEN if "\t" not in text and not text.startswith("@q")]
    texts = ["@quarterly", *written, *cron_expressions.expressions(seed, count)]
    print(f"# Airflow's descriptions of crons: tests/real/airflow/description_vectors.py {seed} {count}")
    for text in texts:
        if text == "@quarterly" or croniter.is_valid(text):
            print(f"{text}\t{CronTriggerTimetable(text, timezone='UTC').description}")


if __name__ == "__main__":
    main()
