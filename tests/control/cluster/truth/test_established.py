"""A conversation that a policy forbids while it is held is cut, but who may still speak opens it again."""

from __future__ import annotations

from tests.control.cluster.policies.build import policy as record
from tests.control.cluster.policies.build import select
from tests.control.cluster.truth.nine_pods import nine_pods
from tests.control.cluster.truth.objects import policy


def test_the_receiver_of_a_forbidden_conversation_may_open_it_again() -> None:
    with nine_pods() as nine:
        packets = nine.packets
        client, server = packets.hosts["x/b"], packets.hosts["x/a"]

        def arrives() -> bool:
            sent = client.send_udp(packets.address("x/a"), 80, b"?", 5000, retries=0)
            packets.cluster.wait_for(sent)
            return sent.answered

        assert arrives()
        nine.apply([policy(record("x/deny", select(pod="a"), ingress=()))])
        assert not arrives()
        said = server.send_udp(packets.address("x/b"), 5000, b"are you there?", 80, retries=0)
        packets.cluster.wait_for(said)
        assert said.answered  # the receiver may send: nothing is said about its egress
        assert arrives()
        nine.apply([policy(record("x/deny", select(pod="a"), ingress=(), egress=()))])
        assert not arrives()
