"""Conformance of the knowledge-base policies."""

from __future__ import annotations

from semcore.testing import conformance
from semcore_video.kb.policies import AlwaysKB, PsnrKB, StaticKB

test_static = conformance(StaticKB(size=(16, 24)))
test_always = conformance(AlwaysKB(size=(8, 8)))
test_psnr = conformance(
    PsnrKB(threshold_db=60.0, max_entries=1), PsnrKB(size=(16, 16), threshold_db=0.0)
)
