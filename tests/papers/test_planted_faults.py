"""Faults planted in the papers' equations: a sign, a missing stage, a swapped axis.

A test that cannot fail guards nothing. Each case copies one package, changes one expression, and
runs the tests named beside it: they must fail with the fault, and they pass without it in the
ordinary suite.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Fault:
    """One change to one file.

    Fields:
        what: the equation, and what is wrong with it
        file: below the repository
        right: the expression as it is, which occurs once
        wrong: what it becomes
        guards: the tests that must fail, as pytest takes them
    """

    what: str
    file: str
    right: str
    wrong: str
    guards: str


IMAGE, VIDEO = "plugins/semcore_image/semcore_image", "plugins/semcore_video/semcore_video"
LLM, CHANNELS = "plugins/semcore_llm/semcore_llm", "plugins/semcore_channels/semcore_channels"
EQUATIONS = "plugins/semcore_image/tests/mmsemcom/test_mmsemcom_equations.py"

FAULTS = (
    Fault(
        "MMSemCom eq. 20: sequential selection without its first stage",
        f"{IMAGE}/mmsemcom/selectors.py",
        "left = np.flatnonzero(total <= np.partition(total, last)[last] + 1e-9)",
        "left = np.arange(len(left))",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 20: one candidate more stays",
        f"{IMAGE}/mmsemcom/selectors.py",
        "last = min(self.keep, len(left)) - 1",
        "last = min(self.keep, len(left) - 1)",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 21: the cosine with the wrong sign",
        f"{IMAGE}/mmsemcom/selectors.py",
        "(1 - cosine if",
        "(1 + cosine if",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 13: rows and columns swapped",
        f"{IMAGE}/mmsemcom/networks.py",
        "for count in (rows, columns)",
        "for count in (columns, rows)",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 14: no residual around the attention",
        f"{IMAGE}/mmsemcom/networks.py",
        "self.norm(attended + queries)",
        "self.norm(attended)",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 8: no activation between the layers",
        f"{IMAGE}/mmsemcom/networks.py",
        "return self.second(F.relu(self.first(pooled)))",
        "return self.second(self.first(pooled))",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 15-19: guidance away from the features",
        f"{IMAGE}/mmsemcom/sampling.py",
        "without + guidance * (predicted - without)",
        "without - guidance * (predicted - without)",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 17: the loss without its squares",
        f"{IMAGE}/training/class_diffusion.py",
        "(error.abs().mean() + error.square().mean()) / 2",
        "error.abs().mean() / 2",
        EQUATIONS,
    ),
    Fault(
        "MMSemCom eq. 29: a user despread by the code of the next",
        f"{CHANNELS}/transports/walsh.py",
        "(chips * self.codes[number].to(chips.device))",
        "(chips * self.codes[number - 1].to(chips.device))",
        "plugins/semcore_channels/tests/transports/test_walsh.py",
    ),
    Fault(
        "LLM-image eq. 2: the entropy with the wrong sign",
        f"{LLM}/metrics/semantic_entropy.py",
        "math.log2(total / true)",
        "math.log2(true / total)",
        "plugins/semcore_llm/tests/metrics/test_text_metrics.py",
    ),
    Fault(
        "LLM-image section IV: wrong bits count in the data rate",
        "semcore/metrics/builtin.py",
        "compared[name].right if",
        "compared[name].right + compared[name].wrong if",
        "tests/metrics/test_metrics.py",
    ),
    Fault(
        "LLM-image section IV: the compression ratio upside down",
        "semcore/metrics/builtin.py",
        "return Quotient(record.source.source_bits, bits) if bits else None",
        "return Quotient(bits, record.source.source_bits) if bits else None",
        "tests/metrics/test_metrics.py",
    ),
    Fault(
        "satellite eq. 5: free-space loss of the field, not of the power",
        f"{CHANNELS}/ntn/geometry.py",
        "return 20 * math.log10(4 * math.pi * distance_km",
        "return 10 * math.log10(4 * math.pi * distance_km",
        "plugins/semcore_channels/tests/ntn/test_geometry.py",
    ),
    Fault(
        "satellite eq. 7: rain that helps",
        f"{CHANNELS}/ntn/channels.py",
        "- sum(rains) - noise",
        "+ sum(rains) - noise",
        "plugins/semcore_channels/tests/ntn/test_bent_pipe.py",
    ),
    Fault(
        "satellite eq. 24: strangers are taken for the same person",
        f"{VIDEO}/kb/face.py",
        "found < self.similarity",
        "found > self.similarity",
        "plugins/semcore_video/tests/kb/test_kb_equations.py",
    ),
    Fault(
        "satellite eq. 24-26: the strictest test of a level is left out",
        f"{VIDEO}/kb/face.py",
        "[: list(tests).index(self.level) + 1]",
        "[: list(tests).index(self.level)]",
        "plugins/semcore_video/tests/kb/test_kb_equations.py",
    ),
    Fault(
        "satellite eq. 26: translation from the wrong numbers of the pose",
        f"{VIDEO}/kb/face.py",
        "pose[3:5]",
        "pose[4:6]",
        "plugins/semcore_video/tests/kb/test_kb_equations.py",
    ),
    Fault(
        "satellite eq. 15: the receiver's estimate without what is known of the variances",
        f"{VIDEO}/transports/spectral.py",
        "precision = np.diag(1 / powers[used]) + spreading",
        "precision = spreading",
        "plugins/semcore_video/tests/transports/test_temporal.py",
    ),
)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_planted_fault_is_found(fault: Fault, tmp_path: Path) -> None:
    """Exit code 1 of pytest: tests ran, some failed; 2 (collection) or 5 (no test) is an error."""
    source = ROOT / fault.file
    text = source.read_text()
    assert text.count(fault.right) == 1, (
        f"{fault.file} no longer holds {fault.right!r} once: plant the fault again"
    )
    package = next(
        parent for parent in source.parents if not (parent.parent / "__init__.py").exists()
    )
    copy = tmp_path / package.name
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            there = copy / path.relative_to(package)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.symlink_to(path)
    planted = copy / source.relative_to(package)
    planted.unlink()
    planted.write_text(text.replace(fault.right, fault.wrong))
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not docs",
        fault.guards,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert str(tmp_path) in done.stdout or "FAILED" in done.stdout
