"""Backtest runs with what would repeat them, and how often somebody looked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId, UtcDateTime


class Run(Base):
    """One stored backtest.  ``repeatable`` turns false when its bars' versions are dropped."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    strategy: Mapped[str]
    source_hash: Mapped[str] = mapped_column(default="")
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    bar_interval: Mapped[str] = mapped_column(default="")
    store_versions: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    program_version: Mapped[str] = mapped_column(default="")
    seed: Mapped[int | None] = mapped_column(BigId)
    hypothesis: Mapped[str] = mapped_column(default="")
    trials: Mapped[int] = mapped_column(BigId, default=1)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    stats: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    funnel: Mapped[Any] = mapped_column(JSON, default=dict)
    seconds: Mapped[float | None]
    repeatable: Mapped[bool] = mapped_column(default=True)


class RunFrame(Base):
    """A table of a run, as the bytes of a Parquet file."""

    __tablename__ = "run_frames"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Trial(Base):
    """How many variants one run or sweep looked at, under the hypothesis it belongs to."""

    __tablename__ = "trials"
    __table_args__ = (Index(None, "hypothesis"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    hypothesis: Mapped[str]
    n_trials: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
