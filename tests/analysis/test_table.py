"""Tables: every number as in the results, every sign of LaTeX tamed, bold only what is clear."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from semcore.analysis.rows import read_rows
from semcore.analysis.table import table
from semcore.errors import RunError
from semcore.render import latex
from semcore.render.caption import of_table
from semcore.render.csv import of_table as as_csv
from semcore.render.table import as_latex, as_markdown
from semcore.runs.conventions import SNR
from semcore.runs.results import read_run
from semcore.wording.numbers import with_interval

from ..support.commands import call
from ..support.written_runs import Writer

NASTY = r"a_b & 50 % → ≤ #1 {x} \input{y} $z$ ~^ é β" + '"'


def made(
    write_run: Writer,
    values: dict[str, dict[str, list[float | None]]],
    better: str = "higher",
    **more: Any,
) -> Path:
    """A run of one workflow a line: name -> metric -> values."""
    return write_run([{"settings": {"workflow": name}, "metrics": metrics, "better": better,
                       **more.get(name, {})}
                      for name, metrics in values.items()])  # fmt: skip


CLEAR = {
    "words": {"psnr": [10.0, 10.1, 10.2], "ssim": [0.1, 0.5, 0.9]},
    "pixels": {"psnr": [30.0, 30.1, 30.2], "ssim": [0.2, 0.6, 0.8]},
    "both": {"psnr": [20.0, 20.1, 20.2], "ssim": [0.15, 0.5, 0.9]},
}


def rows_of(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_the_numbers_of_a_table_are_those_of_the_results(write_run: Writer) -> None:
    folder = made(write_run, CLEAR)
    header, ruler, *rows = rows_of(as_markdown(table(read_rows([folder]))))
    assert header == ["workflow", "PSNR", "SSIM"] and ruler == ["---", "---:", "---:"]
    for row, result in zip(rows, read_run(folder).results, strict=True):
        shown = [with_interval(result["metrics"][metric]) for metric in ("psnr", "ssim")]
        assert [row[0], *(cell.strip("*") for cell in row[1:])] == [
            result["settings"]["workflow"],
            *shown,
        ]


def test_csv_keeps_every_digit(write_run: Writer) -> None:
    folder = made(write_run, CLEAR)
    for row, result in zip(
        csv.DictReader(io.StringIO(as_csv(table(read_rows([folder]))))),
        read_run(folder).results,
        strict=True,
    ):
        for metric, summary in result["metrics"].items():
            assert [float(row[f"{metric}{end}"]) for end in ("", " low", " high")] == [
                summary[end] for end in ("mean", "low", "high")]  # fmt: skip
            assert int(row[f"{metric} n"]) == summary["n"] == 3


def bold(folder: Path) -> list[tuple[str, str]]:
    found = table(read_rows([folder]))
    return [(found.names[line][0], found.metrics[column]) for line, column in sorted(found.best)]


def test_the_best_is_bold_only_if_its_interval_lies_apart(write_run: Writer) -> None:
    assert bold(made(write_run, CLEAR)) == [("pixels", "psnr")]
    assert bold(made(write_run, CLEAR, "lower")) == [("words", "psnr")]
    assert bold(made(write_run, CLEAR, "")) == []
    assert (
        bold(
            made(
                write_run,
                CLEAR,
                pixels={"cost": ["psnr"]},
                words={"cost": ["psnr"]},
                both={"cost": ["psnr"]},
            )
        )
        == []
    )


def test_equals_are_bold_together_and_a_column_of_equals_is_not(write_run: Writer) -> None:
    values: dict[str, Any] = {
        name: {"m": [v] * 3, "k": [1.0] * 3} for name, v in (("a", 5.0), ("b", 5.0), ("c", 1.0))
    }
    assert bold(made(write_run, values)) == [("a", "m"), ("b", "m")]


def test_what_was_not_measured_alike_is_not_compared(write_run: Writer) -> None:
    assert bold(made(write_run, CLEAR, pixels={"signature": "PSNR|2|"})) == []
    assert bold(made(write_run, CLEAR, pixels={"snr": SNR["block_snr_db"]})) == []


def test_a_single_sample_is_never_the_best(write_run: Writer) -> None:
    assert bold(made(write_run, {"a": {"m": [1.0]}, "b": {"m": [9.0]}})) == []


def test_rows_average_what_they_do_not_name_or_refuse(write_run: Writer) -> None:
    cells = [{"settings": {"workflow": w, "channel.snr_db": x},
              "metrics": {"psnr": [1.0 + x, 2.0 + x]}, "signature": f"PSNR|{1 + (x > 5)}|"}
             for w in "ab" for x in (0, 4, 8)]  # fmt: skip
    folder = write_run(cells)
    with pytest.raises(RunError, match=r"PSNR\|1\|(.|\n)*PSNR\|2\|"):
        table(read_rows([folder]), ["workflow"])
    found = table(read_rows([folder], ["channel.snr_db=0,4"]), ["workflow"])
    assert [line[0].mean for line in found.cells] == [3.5, 3.5] and [
        line[0].n for line in found.cells
    ] == [2, 2]
    assert "Averaged over channel.snr_db = 0, 4" in of_table(found)


def test_a_metric_that_does_not_apply_everywhere_has_a_dash(write_run: Writer) -> None:
    found = table(
        read_rows([made(write_run, {"a": {"bleu": [0.5, 0.6]}, "b": {"bleu": [None, None]}})])
    )
    assert rows_of(as_markdown(found))[-1] == ["b", "–"]
    assert "b & -- \\\\" in as_latex(found, "x")


# -------------------------------------------------------------------------------------------- LaTeX


def bare(text: str) -> str:
    """LaTeX without what is escaped: what is left of special signs would act."""
    return re.sub(r"\\[\\{}$&#_%^~]", "", text)


def balanced(text: str) -> bool:
    depth = 0
    for sign in bare(text):
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


COMMANDS = set(latex.SPECIAL.values()) | set(latex.SIGNS.values())


@given(st.text())
@example(NASTY)
@example("\\begin{document}%\n$$")
def test_no_text_acts_in_latex(text: str) -> None:
    escaped = latex.escaped(text)
    assert balanced(escaped) and escaped.count("$") % 2 == escaped.count(r"\$") % 2
    left = re.sub(r"\$[^$]*\$", "", escaped.replace(r"\$", ""))  # mathematics of ours
    for command in re.findall(r"\\[a-zA-Z]+", left):
        assert command in {"\\textbackslash", "\\textasciicircum", "\\textasciitilde", "\\textless",
                           "\\textgreater", "\\textbar", "\\textasciigrave", "\\ldots", "\\S",
                           "\\texttt"}  # fmt: skip
    assert not re.search(r"[&#%^\n]", bare(left))
    assert "_" not in bare(left)


@pytest.mark.parametrize(
    "shown, written",
    [("25.4 ±1.3", r"$25.4 \pm 1.3$"), ("4,085 ±707", r"$4{,}085 \pm 707$"), ("–", "--"),
     ("-3.5", "$-3.5$"), ("1.20e-05 ±3.10e-06", r"$1.20 \times 10^{-5} \pm 3.10 \times 10^{-6}$")],
)  # fmt: skip
def test_numbers_are_mathematics(shown: str, written: str) -> None:
    assert latex.number(shown) == written


def latex_of(write_run: Writer) -> str:
    values: dict[str, Any] = {
        NASTY: {"psnr": [1.0, 2.0], "net-rate": [3e-6, 4e-6]},
        "b": {"psnr": [9.0, 9.1], "net-rate": [1e6, 2e6]},
    }
    return as_latex(table(read_rows([made(write_run, values, b={"unit": "Mbit/s"})])), "my run_1")


def test_a_latex_table_holds_together(write_run: Writer) -> None:
    text = latex_of(write_run)
    assert balanced(text)
    for begin, end in (
        (r"\begin{table}", r"\end{table}"),
        (r"\begin{tabular}{lrr}", r"\end{tabular}"),
    ):
        assert text.count(begin) == text.count(end) == 1
    rules = [text.index(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")]
    assert rules == sorted(rules) and text.index(r"\caption") < text.index(r"\label{tab:my-run-1}")
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(lines) == 3 and all(len(re.findall(r"(?<!\\)&", line)) == 2 for line in lines)
    assert "95 \\% interval" in text and "n = 2 samples" in text


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX here")
def test_latex_takes_the_table(write_run: Writer, tmp_path: Path) -> None:
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    document = "\n".join((head, latex_of(write_run), r"\end{document}", ""))
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stdout


# ----------------------------------------------------------------------------------------- the verb


def test_the_verb_prints_or_writes_by_the_ending(
    write_run: Writer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made(write_run, CLEAR)
    assert call("table", folder, "--columns", "psnr") == 0
    assert rows_of(capsys.readouterr().out)[0] == ["workflow", "PSNR"]
    for name, start in (
        ("t.tex", "% \\usepackage{booktabs}"),
        ("t.csv", "workflow,psnr,"),
        ("t.md", "| workflow"),
    ):
        assert call("table", folder, "--out", tmp_path / name) == 0
        assert (tmp_path / name).read_text().startswith(start)
    assert call("table", folder, "--to", "latex", "--where", "workflow=words") == 0
    assert r"\bottomrule" in capsys.readouterr().out
    assert call("table", folder, "--columns", "pnsr") == 2
    assert capsys.readouterr().err == "error: no cell has a metric 'pnsr'; did you mean 'psnr'?\n"
    assert call("table", folder, "--rows", "workflo") == 2
    assert "did you mean 'workflow'?" in capsys.readouterr().err
