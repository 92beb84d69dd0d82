"""A member of a streams group for the page's tests: BROKER TOPIC GROUP. Says so when it has its tasks, and stays
until it is ended."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from streams_member import Member, word_count  # noqa: E402

broker, topic, group = sys.argv[1:]
member = Member(broker, group, "counter-1", word_count(topic))
told = False
while True:
    assert member.beat()["ErrorCode"] == 0, member.last
    if member.tasks() and not told:
        print("settled", flush=True)
        told = True
    time.sleep(0.2)
