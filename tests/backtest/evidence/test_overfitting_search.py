"""A search as a whole: CSCV, reality check, SPA, Romano-Wolf and corrections of p values."""

from __future__ import annotations

from itertools import combinations
from math import log, sqrt
from statistics import mean, stdev

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from backtest.evidence.overfitting import (
    adjust,
    long_run_deviation,
    overfitting_probability,
    superior_settings,
)
from db.errors import DataError, UsageError


def noise(seed: int, periods: int = 48, columns: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.02, (periods, columns))


# --- CSCV ---------------------------------------------------------------------------------------


def slow_cscv(x: np.ndarray, blocks: int) -> tuple[float, list[float], list[int]]:
    """The paper's algorithm, split by split, with lists."""
    rows = [list(part) for part in np.array_split(range(len(x)), blocks)]

    def sharpes(chosen: tuple[int, ...]) -> list[float]:
        days = [t for block in chosen for t in rows[block]]
        columns = [[x[t][j] for t in days] for j in range(x.shape[1])]
        return [mean(c) / stdev(c) if any(c) else 0.0 for c in columns]

    logits, choices = [], []
    for train in combinations(range(blocks), blocks // 2):
        test = tuple(block for block in range(blocks) if block not in train)
        inside, outside = sharpes(train), sharpes(test)
        best = inside.index(max(inside))
        rank = 1 + sum(o < outside[best] for o in outside)
        rank += (sum(o == outside[best] for o in outside) - 1) / 2
        w = rank / (len(outside) + 1)
        logits.append(log(w / (1 - w)))
        choices.append(best)
    return sum(v <= 1e-12 for v in logits) / len(logits), logits, choices


@pytest.mark.parametrize(("seed", "blocks", "periods"), [(0, 6, 48), (1, 8, 50), (2, 4, 9)])
def test_cscv_is_the_paper_s_split_by_split(seed: int, blocks: int, periods: int) -> None:
    x = noise(seed, periods)
    x[:, 4] = 0.0
    found = overfitting_probability(x, blocks=blocks)
    probability, logits, choices = slow_cscv(x, blocks)
    assert found.probability == pytest.approx(probability)
    assert sorted(found.logits) == pytest.approx(sorted(logits))
    assert found.chosen.tolist() == choices


def test_any_performance_can_be_judged() -> None:
    x = noise(3)

    def sharpe(part: np.ndarray) -> np.ndarray:
        return part.mean(axis=0) / part.std(axis=0, ddof=1)

    a = overfitting_probability(x, blocks=6)
    b = overfitting_probability(x, blocks=6, performance=sharpe)
    np.testing.assert_allclose(a.logits, b.logits)
    np.testing.assert_allclose(a.in_sample, b.in_sample)
    means = overfitting_probability(x, blocks=6, performance=lambda part: part.mean(axis=0))
    assert len(means.logits) == 20
    with pytest.raises(UsageError, match="6 scores"):
        overfitting_probability(x, blocks=6, performance=lambda part: part.mean(axis=0)[:2])


def test_an_edge_is_no_overfitting_and_mirrored_luck_is_all_of_it() -> None:
    edge = noise(4, columns=20)
    edge[:, 7] += 0.03
    found = overfitting_probability(edge, blocks=8)
    assert found.probability == 0
    assert (found.chosen == 7).all()
    assert found.loss == 0
    # Each column earns in one half what it loses in the other.
    half = noise(5, periods=24, columns=10)
    mirrored = overfitting_probability(np.vstack([half, -half]), blocks=2)
    assert mirrored.probability == 1
    assert mirrored.loss == 1


def test_noise_overfits_in_half_of_all_searches() -> None:
    found = [overfitting_probability(noise(s, 40, 30), blocks=6).probability for s in range(150)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.001, 100))
def test_unit_and_order_of_settings_do_not_change_pbo(seed: int, scale: float) -> None:
    x = noise(seed)
    order = np.random.default_rng(seed).permutation(6)
    a = overfitting_probability(x, blocks=6)
    b = overfitting_probability(scale * x[:, order], blocks=6)
    assert a.probability == b.probability
    assert (order[b.chosen] == a.chosen).all()


def test_the_same_setting_twice_ties() -> None:
    x = np.tile(noise(6, columns=1), (1, 3))
    found = overfitting_probability(x, blocks=6)
    assert found.logits == pytest.approx(np.zeros(20))
    assert (found.chosen == 0).all()
    still = overfitting_probability(np.zeros((24, 3)), blocks=4)
    assert still.logits == pytest.approx(np.zeros(6))


def test_a_constant_gain_has_no_sharpe_and_is_never_chosen() -> None:
    x = noise(7)
    x[:, 2] = 0.01
    assert 2 not in overfitting_probability(x, blocks=6).chosen


@pytest.mark.parametrize(
    ("shape", "blocks", "message"),
    [
        ((48, 1), 6, "two settings"),
        ((48, 3), 5, "even"),
        ((10, 3), 6, "blocks=4"),
        ((400, 3), 22, "too many splits"),
    ],
)
def test_cscv_refuses(shape: tuple[int, int], blocks: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        overfitting_probability(np.zeros(shape), blocks=blocks)


def test_gaps_are_refused_not_guessed() -> None:
    x = noise(8)
    x[3, 3] = np.nan
    for call in (overfitting_probability, superior_settings):
        with pytest.raises(DataError, match="a period without a trade has earned 0"):
            call(x)


# --- reality check, SPA, Romano-Wolf ------------------------------------------------------------


def slow_deviation(x: np.ndarray, block: float) -> float:
    n, q = len(x), 1 / block
    centred = x - x.mean()
    total = float((centred**2).sum()) / n
    for lag in range(1, n):
        kappa = (n - lag) / n * (1 - q) ** lag + lag / n * (1 - q) ** (n - lag)
        total += 2 * kappa * float((centred[:-lag] * centred[lag:]).sum()) / n
    return sqrt(total)


def test_the_long_run_deviation_is_the_bootstrap_s_own() -> None:
    rng = np.random.default_rng(9)
    shocks = rng.normal(size=(80, 3))
    x = shocks.copy()
    for t in range(1, 80):
        x[t] += 0.5 * x[t - 1]
    found = long_run_deviation(x, 4.0)
    assert found == pytest.approx([slow_deviation(x[:, j], 4.0) for j in range(3)])
    assert long_run_deviation(x, 1.0) == pytest.approx(x.std(axis=0))
    draws = [d[0][0].mean(axis=0) for d in StationaryBootstrap(4, x, seed=1).bootstrap(4_000)]
    assert np.std(draws, axis=0) * sqrt(80) == pytest.approx(found, rel=0.06)
    x[:, 1] = 0.3
    assert long_run_deviation(x, 4.0)[1] == 0


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_spa_is_arch_s_of_returns_divided_by_their_deviation(seed: int) -> None:
    """arch's own studentize=True leaves the returns as they are; divided first, it is Hansen's."""
    x = noise(seed, 60, 8) + np.linspace(-0.006, 0.006, 8)
    x *= np.linspace(0.3, 3, 8)
    found = superior_settings(x, block=3, reps=300, seed=11)
    scaled = x / long_run_deviation(x, 3)
    for matrix, names in (
        (scaled, ("spa_lower", "spa", "spa_upper")),
        (x, ("", "", "reality_check")),
    ):
        spa = SPA(np.zeros(60), -matrix, block_size=3, reps=300, seed=11)
        spa.compute()
        for kind, name in zip(("lower", "consistent", "upper"), names, strict=True):
            if name:
                assert getattr(found, name) == pytest.approx(spa.pvalues[kind], abs=1e-12), name
    plain = SPA(np.zeros(60), -x, block_size=3, reps=300, seed=11, studentize=True)
    bare = SPA(np.zeros(60), -x, block_size=3, reps=300, seed=11, studentize=False)
    plain.compute()
    bare.compute()
    assert (plain.pvalues == bare.pvalues).all()  # the defect that the division works around


def test_the_stepdown_is_romano_and_wolf_s_draw_by_draw() -> None:
    x = noise(20, 40, 5) + np.array([0.02, 0.0, 0.012, -0.01, 0.004])
    reps = 200
    found = superior_settings(x, block=2, reps=reps, seed=3)

    def t_of(part: np.ndarray, centre: np.ndarray) -> np.ndarray:
        return (part.mean(axis=0) - centre) / part.std(axis=0)

    t = t_of(x, np.zeros(5))
    draws = [
        t_of(d[0][0], x.mean(axis=0)) for d in StationaryBootstrap(2, x, seed=3).bootstrap(reps)
    ]
    order, floor, expected = np.argsort(-t), 0.0, np.empty(5)
    for step, j in enumerate(order):
        left = order[step:]
        p = (1 + sum(d[left].max() >= t[j] for d in draws)) / (reps + 1)
        floor = max(floor, p)
        expected[j] = floor
    assert found.adjusted == pytest.approx(expected)
    assert found.max_t == found.adjusted.min()
    assert found.best == 0


def test_an_edge_among_many_is_found_and_noise_is_not() -> None:
    x = noise(21, 120, 200)
    assert superior_settings(x, reps=199).max_t > 0.1
    assert superior_settings(x, reps=199).reality_check > 0.1
    x[:, 17] += 0.012
    found = superior_settings(x, reps=199)
    assert found.best == 17
    assert max(found.max_t, found.spa, found.reality_check) <= 0.01
    assert np.flatnonzero(found.adjusted <= 0.05).tolist() == [17]


def test_max_t_holds_its_level_where_spa_does_not() -> None:
    """200 settings, 60 months, blocks of 7: the deviation that is estimated once misleads."""
    rejected = np.zeros(2)
    for seed in range(60):
        found = superior_settings(noise(seed, 60, 200), block=7, reps=99, seed=seed)
        rejected += [found.max_t <= 0.05, found.spa <= 0.05]
    assert rejected[0] <= 9
    assert rejected[1] >= 15


def test_settings_worse_than_the_benchmark_are_hopeless() -> None:
    found = superior_settings(noise(22) - 0.05, reps=99)
    assert (found.spa_lower, found.spa, found.spa_upper) == (1, 1, 1)
    assert found.max_t > 0.9


def test_a_benchmark_is_subtracted() -> None:
    x, benchmark = noise(23), noise(24)[:, 0]
    a = superior_settings(x, benchmark=benchmark, block=2, reps=99)
    b = superior_settings(x - benchmark[:, None], block=2, reps=99)
    np.testing.assert_array_equal(a.adjusted, b.adjusted)
    assert a.spa == b.spa


def test_columns_that_do_not_vary_take_no_part() -> None:
    x = noise(25)
    x[:, 1], x[:, 4] = 0.0, 0.5
    found = superior_settings(x, block=2, reps=99)
    rest = superior_settings(np.delete(x, [1, 4], axis=1), block=2, reps=99)
    assert np.isnan(found.adjusted[[1, 4]]).all()
    np.testing.assert_array_equal(np.delete(found.adjusted, [1, 4]), rest.adjusted)
    assert found.spa == rest.spa
    nothing = superior_settings(np.zeros((20, 3)), reps=9)
    assert np.isnan([nothing.max_t, nothing.spa, nothing.reality_check]).all()


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.001, 100))
def test_unit_and_order_of_settings_do_not_change_the_p_values(seed: int, scale: float) -> None:
    x = noise(seed)
    order = np.random.default_rng(seed).permutation(6)
    a = superior_settings(x, block=3, reps=49)
    b = superior_settings(scale * x[:, order], block=3, reps=49)
    np.testing.assert_allclose(b.adjusted, a.adjusted[order])
    assert (a.spa, a.reality_check) == (b.spa, b.reality_check)


def test_superior_settings_refuses() -> None:
    for bad in (np.zeros(5), np.zeros((2, 3)), np.zeros((5, 0))):
        with pytest.raises(UsageError):
            superior_settings(bad)
    with pytest.raises(UsageError, match="benchmark of 48 periods"):
        superior_settings(noise(0), benchmark=np.zeros(3))
    with pytest.raises(UsageError, match="block and reps"):
        superior_settings(noise(0), block=0.5)


# --- corrections --------------------------------------------------------------------------------


def slow_adjust(p: list[float], method: str) -> list[float]:
    n = len(p)
    order = sorted(range(n), key=lambda i: p[i])
    out = [0.0] * n
    if method in ("bonferroni", "holm"):
        floor = 0.0
        for rank, i in enumerate(order):
            floor = max(floor, p[i] * (n if method == "bonferroni" else n - rank))
            out[i] = min(1.0, p[i] * n if method == "bonferroni" else floor)
        return out
    factor = sum(1 / k for k in range(1, n + 1)) if method == "by" else 1.0
    ceiling = 1.0
    for rank in range(n - 1, -1, -1):
        i = order[rank]
        ceiling = min(ceiling, p[i] * n / (rank + 1) * factor)
        out[i] = ceiling
    return out


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=12), data=st.data())
def test_corrections_are_the_textbook_s(p: list[float], data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["bonferroni", "holm", "bh", "by"]))
    found = adjust(np.array(p), method)
    np.testing.assert_allclose(found, slow_adjust(p, method), atol=1e-12)


def test_corrections_against_scipy_and_by_hand() -> None:
    p = np.array([0.01, 0.04, np.nan, 0.03])
    assert adjust(p, "holm").tolist() == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    known = p[[0, 1, 3]]
    for ours, theirs in (("bh", "bh"), ("by", "by")):
        expected = stats.false_discovery_control(known, method=theirs)
        np.testing.assert_allclose(adjust(known, ours), expected)
    assert np.isnan(adjust(np.array([np.nan]))).all()
    assert len(adjust(np.empty(0))) == 0


def test_corrections_refuse() -> None:
    with pytest.raises(UsageError, match="unknown correction 'hom'"):
        adjust(np.array([0.5]), "hom")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="between 0 and 1"):
        adjust(np.array([1.5]))
    with pytest.raises(UsageError, match="one-dimensional"):
        adjust(np.zeros((2, 2)))
