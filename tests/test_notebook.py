"""The notebooks run as they stand, and what is committed of them is what they say."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import nbclient
import pytest

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_its_script(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = jupytext.read(script)
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "."}})
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code if not cell.source.startswith("import os"))


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_committed_notebook_is_its_script_with_outputs(script: Path) -> None:
    written = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in written["cells"]]
    assert cells == [(cell.cell_type, cell.source) for cell in jupytext.read(script).cells]
    code = [cell for cell in written["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] for cell in code)
    assert not any(out["output_type"] == "error" for cell in code for out in cell["outputs"])


def test_no_committed_output_carries_a_path_of_the_machine_it_was_made_on() -> None:
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        text = notebook.read_text(encoding="utf-8")
        for root in ("/root/", "/home/", "/tmp/", "/Users/", str(ROOT)):
            assert root not in text, f"{notebook.name} mentions {root}"
