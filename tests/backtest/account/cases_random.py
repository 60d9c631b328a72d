"""Random small accounts: crowded instants, gaps, dividends, both directions."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.backtest.account.cases import NAN, Order

MARKS = tuple(float(minute) for minute in range(40, 401, 40))
_PRICES = st.sampled_from([0.5, 3.0, 7.25, 10.0, 31.0, 480.0])


@st.composite
def orders(draw: st.DrawFn, *, sides: tuple[int, ...] = (1, -1)) -> list[Order]:
    """Up to 14 orders of 4 instruments; times on a grid of ten minutes, so that they collide."""
    return [_order(draw, key + 1, sides) for key in range(draw(st.integers(0, 14)))]


def _order(draw: st.DrawFn, key: int, sides: tuple[int, ...]) -> Order:
    decided = 10.0 * draw(st.integers(0, 34))
    instrument = draw(st.integers(1, 4))
    rank = draw(st.sampled_from([NAN, 0.0, 1.0]))
    if draw(st.integers(0, 3)) == 0:
        life = draw(st.sampled_from([0.0, 5.0, 10.0, 60.0]))
        return Order(key, instrument, decided, decided + life, rank=rank)
    # At a bar's open (which may be the decision's instant) or at the end of a bar.
    entry = decided + draw(st.sampled_from([0.0, 5.0, 10.0, 30.0]))
    leave = max(entry, decided + 1) + draw(st.sampled_from([0.0, 5.0, 10.0, 35.0, 50.0, 170.0]))
    leave = min(leave, MARKS[-1])
    side = draw(st.sampled_from(sides))
    price = draw(_PRICES)
    held = [minute for minute in range(int(entry) + 1, int(leave) + 1) if minute % 20 in (0, 5)]
    count = draw(st.integers(0, min(3, len(held))))
    marks = sum(entry <= minute < leave for minute in MARKS)
    return Order(
        key=key,
        instrument=instrument,
        decided=decided,
        released=leave + draw(st.sampled_from([0.0, 5.0, 10.0])),
        entry=(entry, price),
        exit=(leave, price * draw(st.sampled_from([0.05, 0.9, 1.0, 1.1, 2.5]))),
        side=side,
        commission=draw(st.sampled_from([0.0, 0.0001, 0.02])),
        borrow=draw(st.sampled_from([0.0, 0.003])) if side < 0 else 0.0,
        rank=rank,
        dividends=tuple((float(held[i]), price * (i + 1) / 50) for i in range(count)),
        closes=tuple(
            draw(st.sampled_from([NAN, price, price * 0.8, price * 1.3])) for _ in range(marks)
        ),
    )
