"""Ways to break a file."""

from __future__ import annotations

from hypothesis import strategies as st

_SIZES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF)


@st.composite
def broken(draw: st.DrawFn, seeds: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the kind of one of the seeds and its content after a few mutations."""
    kind = draw(st.sampled_from(sorted(seeds)))
    content = bytearray(seeds[kind])
    for _ in range(draw(st.integers(1, 6))):
        # Most of what a parser believes stands at the front, some at the end.
        size = max(1, len(content))
        place = draw(st.one_of(st.integers(0, 200), st.integers(0, size), st.integers(-300, -1)))
        place = max(0, size + place) if place < 0 else min(place, size)
        what = draw(st.integers(0, 8))
        if what == 0:
            content[place : place + 1] = bytes([draw(st.integers(0, 255))])
        elif what == 1:
            del content[place:]
        elif what == 2:
            other = seeds[draw(st.sampled_from(sorted(seeds)))]
            start = draw(st.integers(0, len(other)))
            content[place:place] = other[start : start + draw(st.integers(0, 2_000))]
        elif what == 3:
            content[place:place] = draw(st.binary(max_size=64))
        elif what == 4:
            length = draw(st.sampled_from([1, 2, 4, 8]))
            value = draw(st.sampled_from(_SIZES)) & ((1 << 8 * length) - 1)
            order = draw(st.sampled_from(["little", "big"]))
            content[place : place + length] = value.to_bytes(length, order)  # type: ignore[arg-type]
        elif what == 5:
            content[place : place + draw(st.integers(1, 500))] = b""
        elif what == 6:
            piece = bytes(content[place : place + draw(st.integers(1, 500))])
            content[place:place] = piece * draw(st.integers(1, 4))
        elif what == 7:
            content[place : place + 32] = draw(st.binary(min_size=32, max_size=32))
        else:
            at = min(place, len(content) - 1)
            if at >= 0:
                content[at] ^= 1 << draw(st.integers(0, 7))
    return kind, bytes(content)
