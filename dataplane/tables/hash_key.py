"""Keys of hash maps: 64-bit words, in registers (a tuple, in kernels) or in memory (an address, from Python).

The algorithms of the map are written once over `word`. With a tuple the number of words is known when
a kernel is compiled, so its loops unroll; with an address it comes from the map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

from vectorplane.jit.kernel import JIT, helper
from vectorplane.jit.ops import add, ld64, mul, shr

_FACTOR, _WEIGHT, _FINAL = 0x5851F42D4C957F2D, 0x2545F4914F6CDD1D, 0x369DEA0F31A53F85


def packer(words: int) -> Callable[[Any], Any]:
    """A helper that turns the ``*key`` of a helper into a key of ``words`` words, integers of any width taken.

    Another number of words is an error when the kernel is compiled: it would mean another bucket layout.
    """
    message = f"a key of {words} words is expected"
    if not JIT:

        def python(key: tuple[int, ...]) -> tuple[int, ...]:
            if len(key) != words:
                raise TypeError(message)
            return tuple(int(k) for k in key)

        return python

    @intrinsic  # type: ignore[untyped-decorator]
    def pack(typingctx: Any, key: Any) -> Any:
        if not isinstance(key, types.BaseTuple) or len(key) != words:
            raise TypingError(message)
        made = types.UniTuple(types.int64, words)  # type: ignore[no-untyped-call]

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            items = [
                context.cast(builder, builder.extract_value(args[0], i), kind, types.int64)
                for i, kind in enumerate(list(key))  # type: ignore[call-overload]
            ]
            return context.make_tuple(builder, made, items)

        return made(key), codegen

    made_pack: Any = pack
    return made_pack


def word(key: Any, i: int) -> int:
    """Word ``i`` of a key."""
    return int(key[i]) if isinstance(key, tuple) else int(ld64(key + 8 * i))


def words_of(key: Any, stored: int) -> int:
    """The number of words of a key; ``stored`` is what the map says."""
    return len(key) if isinstance(key, tuple) else stored


@overload(word, strict=False)
def _word(key: Any, i: Any) -> Any:
    if isinstance(key, types.BaseTuple):
        return lambda key, i: key[i]
    return lambda key, i: ld64(key + 8 * i)


@overload(words_of, strict=False)
def _words_of(key: Any, stored: Any) -> Any:
    if isinstance(key, types.BaseTuple):
        n = len(key)
        return lambda key, stored: n
    return lambda key, stored: stored


@helper
def mix(key: Any, words: int, seed: int) -> int:
    """64 well-mixed bits of a key: each word multiplied and folded on its own, so that the words overlap in time.

    A change of one word always changes the result (each step is one to one).
    """
    h = seed
    for i in range(words):
        x = mul(word(key, i) ^ seed, mul(_FACTOR, 2 * i + 1))
        h = add(h, mul(x ^ shr(x, 32), mul(_WEIGHT, 2 * i + 1)))
    h = mul(h ^ shr(h, 32), _FINAL)
    return int(h ^ shr(h, 29))
