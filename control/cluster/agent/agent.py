"""The agent of one node. It follows the cluster's store and CNI, and keeps the node's dataplane as they want it.

Everything happens in `step`, which deals with one thing and never waits (but for the store's and the dataplane's
answers), so that one process can pump many agents in a fixed order; `runner.run` is for an agent that has a process
of its own. ``scheduler.clock`` is the agent's clock, too::

    agent = Agent("node-1", settings, store, scheduler, wiring, runtime, handlers=[Ipnet, Services], pod_mac=pod_mac)
    agent.run_pending()                           # claims an id, resyncs, deals with all that waits
    agent.push_and_wait(AddPod(pod, container))   # AddResult; raises EventFailed
    agent.next_time()                             # when it has something to do by itself
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from vectorplane.control.cluster.agent.dealing import Dealing
from vectorplane.control.cluster.agent.errors import AgentError, EventFailed
from vectorplane.control.cluster.agent.event import Event, Method, Resync, StateChange
from vectorplane.control.cluster.agent.event_history import EventHistory
from vectorplane.control.cluster.agent.event_loop import EventLoop
from vectorplane.control.cluster.agent.event_queue import Waiting
from vectorplane.control.cluster.agent.follower import RETRY, Follower
from vectorplane.control.cluster.agent.handler import Handler
from vectorplane.control.cluster.agent.healing import Healing
from vectorplane.control.cluster.agent.identity import Identity
from vectorplane.control.cluster.agent.mirror import Mirror
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.agent.own_node import OwnNode
from vectorplane.control.cluster.agent.pods import Pods
from vectorplane.control.cluster.agent.processing import Processing
from vectorplane.control.cluster.agent.runtime import Runtime
from vectorplane.control.cluster.agent.southbound import Southbound
from vectorplane.control.cluster.agent.starting import Known, Starting
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.state import Changed, ClusterState
from vectorplane.control.cluster.store.entry import Change, Listing
from vectorplane.control.cluster.store.errors import StoreError
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.this_node import ThisNode, Wiring
from vectorplane.control.scheduler import Scheduler
from vectorplane.control.transactions.history import Record

MakeHandler = Callable[[ThisNode, ClusterState, Wanted], Handler]


class Agent(EventLoop):
    """See above. The dataplane stays as it is when an agent ends, and the node keeps its id."""

    def __init__(
        self,
        name: str,
        settings: ClusterSettings,
        store: Store,
        scheduler: Scheduler,
        wiring: Wiring,
        runtime: Runtime,
        *,
        handlers: Sequence[MakeHandler],
        pod_mac: Callable[[str], str],
        config: NodeConfig | None = None,
        mirror: Store | None = None,
        downstream_every: float | None = None,
        verify: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Of the node with that name. Nothing is asked yet of the store, the runtime or the dataplane.

        Args:
            name: the node's name in Kubernetes.
            settings: the same on every node.
            store: the cluster's.
            scheduler: of the node's dataplane, all of which is the agent's.
            wiring: how links are made here.
            runtime: tells at the start which pods run here.
            handlers: in the order in which they are asked.
            pod_mac: the MAC address of a pod's end of its link, by its container.
            config: of this node.
            mirror: a store on this node that keeps a copy, for starts without the cluster's store.
            downstream_every: seconds between two looks at what the dataplane really holds; None: only when need be.
            verify: for tests: after each event all is worked out anew, and a difference is an AgentError.
            wall: seconds since 1970, for the history.

        Raises:
            AgentError: a mistake in the settings.
        """
        super().__init__()
        self.name, self.clock = name, scheduler.clock
        self.state, self.wanted = ClusterState(), Wanted()
        self.history = EventHistory(wall)
        self.node: ThisNode | None = None
        """None until the node's id is known."""
        self.follower = Follower(store, self.clock)
        self._scheduler, self._runtime, self._make, self._mac = scheduler, runtime, tuple(handlers), pod_mac
        self._own = OwnNode(name, settings, wiring, config or NodeConfig())
        self._identity = Identity(name, store, self._own.most_nodes)
        self._mirror = None if mirror is None else Mirror(mirror)
        self._southbound = Southbound(scheduler, self.wanted)
        self._southbound.on_resync = self._dataplane_back
        self._verify, self._downstream_every = verify, downstream_every
        self._starting = Starting(name, self.follower, self._identity, self._mirror, self.clock)
        self._downstream_at = None if downstream_every is None else self.clock() + downstream_every
        self._publish_at: float | None = None
        self._healing = Healing(name, self.clock)
        self._dealing: Dealing | None = None
        self._store_first = False

    def configure(self, config: NodeConfig) -> Future[Any]:
        """The node's configuration is another one, or DHCP gave the node another address. Raises as `push`."""
        self._own.config = config
        return self.push(Resync("the node is configured otherwise", Method.UPSTREAM_RESYNC))

    def next_time(self) -> float | None:
        """When on the clock `step` has something to do by itself; None: only when something happens."""
        times = [self._healing.at, self._downstream_at, self._publish_at, self.follower.retry_at]
        if self.node is None:
            times.append(self._starting.next_time)
        else:
            times.append(self._scheduler.next_retry())
        return min((t for t in times if t is not None), default=None)

    # --- the loop's

    def _one(self) -> bool:
        return self._start() if self.node is None else self._step()

    def _within(self) -> int | None:
        return self._dealing.current.number if self._dealing and self._dealing.current else None

    def _why_not(self) -> str:
        return f"node {self.name} waits for the store: {self.follower.away}"

    def _end(self) -> None:
        self.follower.close()

    # --- starting

    def _start(self) -> bool:
        """Everything waits for the records of the store, and for the node's id."""
        found = self._starting.poll()
        if found is not None:
            self._begin(found)
        return found is not None

    def _begin(self, found: Known) -> None:
        self.state.load(found.entries)
        self.state.put_record(found.record)
        node = self._own.make(found.record.id, self.state)
        try:
            running = list(self._runtime.pods())
        except Exception as error:
            raise AgentError(f"node {self.name}: the runtime does not say which pods run here: {error}") from error
        pods = Pods(node, self.state, self._mac)
        pods.start(running)
        handlers = [make(node, self.state, self.wanted) for make in self._make]
        processing = Processing(handlers, self.wanted, self._southbound)
        self._dealing = Dealing(processing, pods, self.history, self._healing, self._prepare, self._verify)
        self.node = node
        text = f"start from {found.source}: {len(found.entries)} records, {len(node.pods)} pods run here"
        self._deal(Resync(text))

    # --- one thing

    def _step(self) -> bool:
        if self._on_time() or self._from(self.queue.pop_follow_up()):
            return True
        self._store_first = not self._store_first  # neither holds the other up
        if self._store_first:
            return self._from_store() or self._from(self.queue.pop())
        return self._from(self.queue.pop()) or self._from_store()

    def _on_time(self) -> bool:
        now = self.clock()
        if self._healing.at is not None and self._healing.at <= now:
            with self._healing as reason:
                self._deal(Resync(reason))
        elif self._downstream_at is not None and self._downstream_at <= now:
            self._downstream_at = now + (self._downstream_every or 0.0)
            self._deal(Resync("from time to time", Method.DOWNSTREAM_RESYNC))
        elif self._publish_at is not None and self._publish_at <= now:
            self._publish()
        elif (retry := self._scheduler.next_retry()) is not None and retry <= now:
            self._scheduler.run_retries(now)
        else:
            return False
        return True

    def _from(self, waiting: Waiting | None) -> bool:
        """Deal with an event of the queue."""
        if waiting is None:
            return False
        try:
            result = self._deal(waiting.event, waiting.follows)
        except EventFailed as error:
            waiting.future.set_exception(error)
        except BaseException as error:
            waiting.future.set_exception(error)
            raise
        else:
            waiting.future.set_result(result)
        return True

    def _from_store(self) -> bool:
        new = self.follower.poll()
        if isinstance(new, Listing):
            self._listed(new)
        elif isinstance(new, Change):
            self._changed(new)
        return new is not None

    def _listed(self, listing: Listing) -> None:
        """Changes were missed: what is there now counts."""
        self.state.load(listing.entries)
        if self._mirror is not None:
            self._mirror.copy(listing)
        record = self._hold_id()
        if record is not None:
            self.state.put_record(record)
        self._deal(Resync(f"the store is back: {len(listing.entries)} records at revision {listing.revision}"))

    def _changed(self, change: Change) -> None:
        if self._mirror is not None:
            self._mirror.follow(change)
        put, delete = self.state.put, self.state.delete
        found = [delete(e.key) if e.entry is None else put(e.key, e.entry.data) for e in change.events]
        changes = [c for c in found if c is not None]
        if not changes:
            return
        self._deal(StateChange(changes))
        self._own_records(changes)

    def _own_records(self, changes: Sequence[Changed]) -> None:
        node = self.node
        assert node is not None
        if any(c.kind is NodeRecord and c.record.id == node.id for c in changes):
            self._hold_id()  # a record that is put back comes as a change of the store
        if node.ipam.external and any(c.kind is Node and c.record.name == self.name for c in changes):
            cidr = self._own.pod_cidr(self.state)
            self.queue.push(Resync(f"the node's Pod CIDR is {cidr}", Method.UPSTREAM_RESYNC), self.history.last.number)

    def _hold_id(self) -> NodeRecord | None:
        try:
            return self._identity.hold(self.state)
        except StoreError as error:
            self.follower.lost(error)
            return None

    def _deal(self, event: Event, follows: int | None = None) -> Any:
        assert self._dealing is not None
        result = self._dealing.deal(event, follows)
        if event.method in (Method.FULL_RESYNC, Method.UPSTREAM_RESYNC):
            self._publish()
        return result

    def _prepare(self) -> bool:
        """A resync begins: what is configured counts now. True: the pods' subnet is another one."""
        assert self.node is not None
        return self._own.refresh(self.node, self.state)

    def _publish(self) -> None:
        assert self.node is not None
        done = self._identity.publish(self._own.address(self.node))
        self._publish_at = None if done else self.clock() + RETRY

    # --- the dataplane by itself

    def _dataplane_back(self, transaction: Record) -> None:
        """The scheduler has brought everything to a dataplane that was away, or lost something."""
        record = self.history.note("DataplaneResync", transaction.text, Method.DOWNSTREAM_RESYNC.value)
        record.transactions.append(transaction.number)
        error = self._southbound.refused(transaction)
        self.history.finish(record, error)
        if error:
            self._healing.needed(record)
        if not self._southbound.taken_over and self.node is not None:
            self.queue.push(Resync("the dataplane is there: what it held before is looked at"), record.number)
