from pathlib import Path

from tests.cli.conftest import Cli


def test_a_new_store_is_empty_and_ready(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("init")
    assert outcome.status == 0
    assert str(tmp_path / "store") in outcome.err
    assert cli("events", "--json").out == "[]\n"


def test_a_store_that_is_there_keeps_what_it_holds(tiny_cli: Cli) -> None:
    before = tiny_cli("events", "--csv").out
    assert tiny_cli("init").status == 0
    assert tiny_cli("events", "--csv").out == before


def test_a_folder_of_other_files_is_not_taken_for_a_store(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.db").write_text("not a database, but long enough to be read")
    outcome = cli("events")
    assert outcome.status == 1
    assert "store" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_password_is_never_printed(cli: Cli) -> None:
    outcome = cli(
        "init", "--store", "postgresql+psycopg://me:secret@127.0.0.1:1/none", "--bars", "b"
    )
    assert outcome.status == 1
    assert "secret" not in outcome.err + outcome.out
