"""Groups that change their protocol (KIP-848), request by request on real Kafka and on our broker: the same answers."""
import kafka_side
import pytest
from broker import Broker
from group_stories import Story, static_members, up_and_down


@pytest.mark.skipif(not kafka_side.JARS, reason="TAILRACE_KAFKA_JARS is not set: ./dev real")
@pytest.mark.parametrize("policy", ["bidirectional", "upgrade", "downgrade", "disabled"])
@pytest.mark.parametrize("tell", [up_and_down, static_members])
def test_the_same_requests_have_the_same_answers(tmp_path, policy, tell):
    settings = {"group.consumer.migration.policy": policy, "group.consumer.assignment.interval.ms": 0,
                "group.consumer.min.assignment.interval.ms": 0}
    real = kafka_side.RealKafka(tmp_path, **settings).start()
    (tmp_path / "ours").mkdir()
    ours = Broker(tmp_path / "ours", *(f"{name}={value}" for name, value in settings.items())).start()
    told = []
    for broker in (real, ours):
        story = Story(broker.address)
        if policy in ("bidirectional", "upgrade"):
            tell(story)
        else:
            story.join("a", instance="i")
            story.sync("a", 1, [("a", (0, 1, 2, 3))], GroupInstanceId="i")
            story.consume("c", 0)
            story.look()
        told.append(story.told)
    ours.stop()
    real.stop()
    assert told[1] == told[0]
