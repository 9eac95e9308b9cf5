"""What was not found in every frame is counted, and put into words once for all cells."""

from __future__ import annotations

from semcore.render.text import LINES, gaps
from semcore.runs import records
from semcore.runs.found import SHOWN, lacking


def row(
    name: str, face: tuple[int, int], judged: tuple[int, int] | None = None
) -> dict[str, object]:
    return {
        "sample": name,
        "found": {"face": face},
        **({"judged": {"akd": judged, "csim": judged}} if judged else {}),
    }


def test_what_is_there_everywhere_is_not_mentioned() -> None:
    assert lacking([row("a", (75, 75), (75, 75)), {"sample": "b"}]) == {}
    assert gaps([{"metrics": {}}]) == []


def test_sums_are_over_all_samples_and_names_of_those_that_lack_it() -> None:
    found = lacking(
        [row("a", (0, 75), (0, 75)), row("b", (75, 75), (75, 75)), row("c", (25, 75), (25, 75))]
    )
    assert found["found"]["face"] == {
        "frames": 100,
        "of": 225,
        "samples": 2,
        "first": [["a", 0, 75], ["c", 25, 75]],
    }
    assert gaps([found, found]) == [
        "face: found in 100 of 225 frames: a (none of 75), c (25 of 75)",
        "akd, csim: judged in 100 of 225 frames: a (none of 75), c (25 of 75)",
    ]
    for part in ("found", "judged"):
        for one in found[part].values():
            records.check(records.FoundEntry, one)


def test_a_line_names_a_few_samples_and_counts_the_others() -> None:
    found = lacking([row(str(number), (0, 2)) for number in range(SHOWN + 3)])
    [line] = gaps([found])
    assert (
        line.endswith(f"{SHOWN - 1} (none of 2), and 3 more")
        and len(found["found"]["face"]["first"]) == SHOWN
    )


def test_a_metric_without_a_value_for_some_samples_says_for_how_many_it_has_one() -> None:
    summaries = {
        "stoi": {"n": 3},
        "pesq": {"n": 3},
        "akd": {"n": 6},
        "psnr": {"n": 2, "exact": 4},
        "bler": {"n": 0},
    }
    result = {"n": 6, "metrics": summaries}
    assert gaps([result, result]) == ["stoi, pesq: 3 of 6 samples have a value"]
    many = [{"n": 100, "metrics": {"stoi": {"n": number}}} for number in range(1, 60)]
    assert len(gaps(many)) == LINES and gaps(many)[-1] == "and 48 more such lines of other cells"
