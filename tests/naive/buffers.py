"""A buffer pool as a set of numbers: what `vectorplane.dataplane.buffer` must do, whatever stacks it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Buffers:
    """``count`` buffers; ``references`` of those that are not free."""

    count: int
    references: dict[int, int] = field(default_factory=dict)
    chains: dict[int, int] = field(default_factory=dict)
    """The buffer behind a buffer, when it has one."""

    @property
    def free(self) -> int:
        """How many are free."""
        return self.count - len(self.references)

    def allocated(self, index: int) -> None:
        """The pool gave this buffer.

        Raises:
            AssertionError: it had no right to: somebody owns it, or it does not exist.
        """
        assert 0 <= index < self.count, f"buffer {index} does not exist"
        assert index not in self.references, f"buffer {index} was given out twice"
        self.references[index] = 1

    def chain(self, first: int, behind: int) -> None:
        """Buffer ``behind`` follows ``first``."""
        self.chains[first] = behind

    def whole(self, head: int) -> list[int]:
        """The buffers of a packet."""
        found = [head]
        while found[-1] in self.chains:
            found.append(self.chains[found[-1]])
        return found

    def share(self, head: int) -> None:
        """One more owner of the packet."""
        for index in self.whole(head):
            self.references[index] += 1

    def release(self, head: int) -> None:
        """One owner less."""
        for index in self.whole(head):
            self.references[index] -= 1
            if not self.references[index]:
                del self.references[index]
                self.chains.pop(index, None)
