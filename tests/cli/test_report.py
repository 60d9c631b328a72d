from pathlib import Path

from tests.cli.conftest import Cli


def test_the_newest_run_becomes_one_file(tiny_cli: Cli, tmp_path: Path) -> None:
    tiny_cli("run", "gap_reversal", "--interval", "1d")
    outcome = tiny_cli("report", "-o", tmp_path / "r.html")
    assert outcome.status == 0, outcome.err
    assert outcome.out == ""
    page = (tmp_path / "r.html").read_text()
    assert "gap_reversal" in page
    assert "AMD" in page


def test_a_place_that_cannot_be_written_to_is_an_error_and_no_traceback(
    tiny_cli: Cli, tmp_path: Path
) -> None:
    tiny_cli("run", "gap_reversal", "--interval", "1d")
    outcome = tiny_cli("report", "1", "-o", tmp_path / "none" / "r.html")
    assert outcome.status in (1, 2)
    assert outcome.err.startswith("error: ")
