"""Knowledge base: when pictures are sent, and agreement of both ends with lost updates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore import ComponentError, Features, KnowledgeBase, Picture, Sample
from semcore_video.kb.policies import AlwaysKB, PsnrKB, StaticKB, psnr_db

POLICIES = [StaticKB(), AlwaysKB(), PsnrKB(), PsnrKB(max_entries=1), PsnrKB(size=(4, 6))]


def flat(value: int, height: int = 8, width: int = 8) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def sample(index: int, value: int, user: str = "u") -> Sample:
    return Sample(f"{user}/{index}", user, image=flat(value))


def one_round(policy, tx, rx, samples, lost=()):
    """As in the pipeline, a lost update changes neither end. Returns both ends and the update."""
    sent = policy.update(tx, samples)
    there = [replace(update, streams={}) if update.key in lost else update for update in sent]
    return policy.apply(tx, there), policy.apply(rx, there), sent


def contents(kb: KnowledgeBase) -> dict[str, list[bytes]]:
    return {user: [entry.pixels.tobytes() for entry in kb.of(user)] for user in kb.entries}


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@given(data=st.data())
@settings(max_examples=25)
def test_both_ends_agree_whatever_is_lost(policy, data):
    tx = rx = KnowledgeBase()
    for index in range(4):
        batch = [sample(index, data.draw(st.integers(0, 255)), user) for user in "ab"]
        lost = data.draw(st.sets(st.sampled_from([one.id for one in batch])))
        before = contents(rx)
        tx, rx, sent = one_round(policy, tx, rx, batch, lost)
        assert contents(tx) == contents(rx)
        for update in sent:
            if update.key in lost or not update.streams:
                assert contents(rx).get(update.user) == before.get(update.user)
            else:
                assert contents(rx)[update.user][-1] == update.streams["reference"].pixels.tobytes()


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_an_update_is_addressed_by_its_sample_and_does_not_depend_on_the_batch(policy):
    batch = [sample(0, 1, "a"), Sample("b/0", "b"), sample(0, 2, "c")]
    sent = policy.update(KnowledgeBase(), batch)
    assert [(update.key, update.user) for update in sent] == [
        ("a/0", "a"),
        ("b/0", "b"),
        ("c/0", "c"),
    ]
    assert [sorted(update.streams) for update in sent] == [["reference"], [], ["reference"]]
    for update, alone in zip(sent, batch, strict=True):
        assert contents(policy.apply(KnowledgeBase(), [update])) == contents(
            policy.apply(KnowledgeBase(), policy.update(KnowledgeBase(), [alone]))
        )


def test_static_sends_once_a_user_and_tries_again_only_after_a_loss():
    policy, tx, rx = StaticKB(), KnowledgeBase(), KnowledgeBase()
    counts = []
    for index, lost in enumerate([{"u/0"}, set(), set(), set()]):
        tx, rx, sent = one_round(policy, tx, rx, [sample(index, index)], lost)
        counts.append(len(sent[0].streams))
    assert counts == [1, 1, 0, 0]
    assert contents(rx) == {"u": [flat(1).tobytes()]}


def test_always_sends_every_sample():
    policy, kb = AlwaysKB(), KnowledgeBase()
    for index in range(3):
        kb, _, sent = one_round(policy, kb, kb, [sample(index, 7)])
        assert sent[0].streams
    assert len(kb.of("u")) == 3


@given(
    now=st.integers(0, 255),
    held=st.lists(st.integers(0, 255), max_size=4),
    threshold=st.floats(0, 60),
)
def test_psnr_sends_exactly_when_no_reference_comes_within_the_threshold(now, held, threshold):
    kb = KnowledgeBase(
        {"u": tuple(Picture(flat(value)) for value in held), "v": (Picture(flat(now)),)}
    )
    sent = PsnrKB(threshold_db=threshold).update(kb, [sample(0, now)])[0]
    best = min((abs(now - value) for value in held), default=None)
    near = best is not None and (best == 0 or 20 * np.log10(255 / best) >= threshold - 1e-9)
    exact = best is not None and best != 0 and abs(20 * np.log10(255 / best) - threshold) < 1e-9
    assert exact or bool(sent.streams) == (not near)


def test_psnr_of_a_constant_error_and_of_other_sizes():
    assert psnr_db(flat(0), flat(255)) == 0.0
    assert psnr_db(flat(10), flat(11)) == pytest.approx(48.1308, abs=1e-4)
    assert psnr_db(flat(3), flat(3)) == np.inf
    assert psnr_db(flat(3), flat(3, 4, 4)) == -np.inf


def test_references_accumulate_and_a_return_to_an_old_view_costs_nothing():
    views = [0, 128, 0, 128, 255, 0]
    for policy, expected in (
        (PsnrKB(), [1, 1, 0, 0, 1, 0]),
        (PsnrKB(max_entries=1), [1, 1, 1, 1, 1, 1]),
    ):
        tx = rx = KnowledgeBase()
        counts = []
        for index, value in enumerate(views):
            tx, rx, sent = one_round(policy, tx, rx, [sample(index, value)])
            counts.append(len(sent[0].streams))
        assert counts == expected
        assert len(rx.of("u")) == (3 if policy.max_entries is None else 1)


def test_the_picture_is_the_image_or_the_first_frame_in_the_wanted_size():
    video = np.stack([flat(5), flat(6)])
    empty = np.zeros((0, 8, 8, 3), np.uint8)
    batch = [
        Sample("a", "a", video=video, fps=25.0),
        Sample("b", "b", image=flat(7), video=video, fps=25.0),
    ]
    batch.append(Sample("c", "c", video=empty, fps=25.0))
    sent = StaticKB(size=(4, 6)).update(KnowledgeBase(), batch)
    assert [int(update.streams["reference"].pixels[0, 0, 0]) for update in sent[:2]] == [5, 7]
    assert sent[0].streams["reference"].form == (4, 6, 3)
    assert not sent[2].streams


def test_entries_of_another_kind_are_no_references():
    kb = KnowledgeBase({"u": (Features(np.zeros(3, np.float32)),)})
    assert StaticKB().update(kb, [sample(0, 1)])[0].streams
    assert PsnrKB().update(kb, [sample(0, 1)])[0].streams


@pytest.mark.parametrize(
    "bad", [{"threshold_db": -1.0}, {"max_entries": 0}, {"size": (0, 3)}, {"size": (3,)}]
)
def test_bad_values_name_the_field(bad):
    with pytest.raises(ComponentError, match=next(iter(bad))):
        PsnrKB(**bad)
