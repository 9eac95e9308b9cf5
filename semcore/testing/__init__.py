"""The conformance kit: whether a component keeps the laws of its interface. Part of the product,
for your own plugins.

    from semcore.testing import conformance

    test_conformance = conformance(AWGN)             # one pytest case per law, with its defaults
    test_at_5_db = conformance(AWGN(snr_db=5.0))

`laws` gives the laws of a component and `run_laws` tries them, both without pytest.
"""

from semcore.testing.kit import conformance, laws, run_laws
from semcore.testing.law import Law, LawBroken, NotApplicable, Verdict

__all__ = ["Law", "LawBroken", "NotApplicable", "Verdict", "conformance", "laws", "run_laws"]
