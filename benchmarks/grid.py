"""Time and memory that a large grid takes until its first cell is computed: `make bench-grid`.

CPU seconds to check the file, CPU seconds until every cell has its id, and peak resident memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from semcore.component.digest import Digester
from semcore.config.configuration import load
from semcore.runs.identity import resolve
from semcore.runs.sources import inputs

PIPELINE = """\
semcore: 1
source: {use: samples, limit: 2}
encoder: {use: bitstream, codec: {use: jpeg, quality: 50}}
transport: {use: ldpc}
channel: {use: awgn, snr_db: 0}
generator: {use: bitstream, codec: {use: jpeg, quality: 50}}
metrics: [psnr]
"""


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=100_000, help="a multiple of 1000")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.yaml"
        path.write_text(PIPELINE)
        began = time.process_time()
        experiment = load(
            path, ["channel.snr_db=0:99.9:0.1", f"seed=0:{given.cells // 1000 - 1}:1"]
        )
        checked = time.process_time()
        inputs(experiment)
        digester = Digester()
        distinct = len({resolve(experiment, cell, digester).id for cell in experiment.cells})
        identified = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{distinct:,} cells: checked in {checked - began:.1f} s, identified in "
        f"{identified - checked:.1f} s (CPU); "
        f"peak memory {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main()
