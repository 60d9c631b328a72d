"""Runs: the same for any number of workers, taken up where they stopped, and told whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from calibration.__main__ import main
from calibration.page import fill
from calibration.registry import entries
from calibration.running import Chunk, chunks, judge, run
from calibration.tally import Results
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "evidence.md"


@pytest.mark.long
def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    told: list[int] = []
    wanted = chunks("search", 1, 3, size=1)
    apart = run(wanted, tmp_path, workers=2, resume=False, advance=told.append)
    together = judge(Chunk("search", 1, 0, 3))
    # Through JSON, as chunks are kept.
    assert [one for made in apart.values() for one in made] == json.loads(json.dumps(together))
    assert told == [1, 1, 1]


def test_a_chunk_that_is_there_is_not_judged_again_and_one_of_another_program_is(
    tmp_path: Path,
) -> None:
    (chunk,) = chunks("few", 1, 1)
    kept = {"key": chunk.key, "markets": [{"p": "as it was"}]}
    (tmp_path / chunk.name).write_text(json.dumps(kept))
    quiet = {"workers": 1, "advance": lambda _: None}
    assert run([chunk], tmp_path, resume=True, **quiet)[chunk] == kept["markets"]  # type: ignore[arg-type]
    (tmp_path / chunk.name).write_text(json.dumps(kept | {"key": "of another program"}))
    again = run([chunk], tmp_path, resume=True, **quiet)[chunk]  # type: ignore[arg-type]
    assert set(again[0]["p"]) | set(again[0]["intervals"]) == {key for key, *_ in entries("few")}


def test_chunks_differ_in_their_key_with_all_that_decides_what_is_in_them() -> None:
    one = Chunk("power", 1, 0, 10, 0.25)
    others = [
        replace(one, seed=2),
        replace(one, first=5),
        replace(one, reversal_share=0.3),
        replace(one, design="full"),
    ]
    assert len({one.key, *(other.key for other in others)}) == 5


def test_twelve_markets_make_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = tmp_path / "docs"
    (docs / "images").mkdir(parents=True)
    (docs / "evidence.md").write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    few = "--markets 4 --few-markets 4 --power-markets 2 --shares 0.5 --workers 1"
    arguments = [
        *few.split(),
        *("--out", str(tmp_path / "chunks"), "--docs", str(docs)),
        *("--results", str(tmp_path / "results.json")),
    ]
    assert main(arguments) in (0, 1)
    said = capsys.readouterr()
    assert said.out.endswith("outside the band that should be inside\n")
    made = (docs / "evidence.md").read_text(encoding="utf-8")
    assert "| `full` | 4 |" in made
    assert len(re.findall(r"^\| 50 % \| \+", made, re.MULTILINE)) == 1
    assert (docs / "images" / "power.png").read_bytes().startswith(b"\x89PNG")
    # The counts alone make the same page.
    (docs / "evidence.md").write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    main([*arguments, "--tables-only"])
    assert (docs / "evidence.md").read_text(encoding="utf-8") == made


def test_the_page_says_what_the_committed_counts_say() -> None:
    found = Results.read(ROOT / "calibration" / "results.json")
    text = PAGE.read_text(encoding="utf-8")
    assert fill(text, found) == text


def test_wrong_use_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = ["--tables-only", "--docs", str(tmp_path), "--results", str(tmp_path / "none.json")]
    assert main(missing) == 2
    assert "none.json" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["--shares", "0.5,0.1"])
    assert stopped.value.code == 2
