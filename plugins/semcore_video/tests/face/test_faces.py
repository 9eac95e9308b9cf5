"""Small, several, or temporarily missing faces: one person is followed, and there are no false
detections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from semcore import ComponentError, Features, KnowledgeBase, Picture, Sample
from semcore.commands import cli
from semcore.media import mp4
from semcore_video.face import follow
from semcore_video.face.cut import face_square
from semcore_video.face.detector import faces
from semcore_video.face.encoder import FaceMotion
from semcore_video.face.follow import PATIENCE, Follower
from semcore_video.face.mesh import face_size
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import followed, has_face, track
from semcore_video.kb.face import FaceKB
from semcore_video.sources.clips import Clips
from semcore_video.sources.talking_samples import portrait_of_astronaut

from ..support.speakers import stranger

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def middle(points: np.ndarray) -> np.ndarray:
    return points[..., :2].mean(-2)


def beside(*pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pictures side by side in a grey frame, each centred in its share."""
    frame = np.full((*size, 3), 90, np.uint8)
    share = size[1] // len(pictures)
    for index, picture in enumerate(pictures):
        left = index * share + (share - picture.shape[1]) // 2
        top = (size[0] - picture.shape[0]) // 2
        frame[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return frame


def landscape(size: tuple[int, int], seed: int = 1) -> np.ndarray:
    """Smooth noise, without a face."""
    rng = np.random.default_rng(seed)
    return np.array(
        Image.fromarray(rng.integers(0, 255, (9, 16, 3), np.uint8)).resize(
            size[::-1], Image.Resampling.BICUBIC
        )
    )


# -------------------------------------------------------------------------------------------- small


@pytest.mark.parametrize("height", [144, 90])
def test_a_face_of_a_fifth_of_the_height_of_a_frame_is_found(height: int) -> None:
    """A half-body shot of 720 lines, and one from farther away."""
    person = Image.fromarray(portrait_of_astronaut((256, 256)))
    known = float(face_size(faces(np.asarray(person))[0]))
    side = round(256 * height / known)
    frame = landscape((720, 1280))
    frame[200 : 200 + side, 800 : 800 + side] = np.asarray(
        person.resize((side, side), Image.Resampling.BICUBIC)
    )
    found = followed(frame[None].repeat(2, 0))
    assert has_face(found).all()
    assert face_size(found) == pytest.approx(height, rel=0.1)
    cut = face_square([frame])
    assert cut is not None and cut[2] == pytest.approx(3 * height, rel=0.1)
    inside = middle(found[0]) - cut[:2]
    assert (inside > cut[2] / 4).all() and (inside < 3 * cut[2] / 4).all()


# --------------------------------------------------------------------------------------------- none


def test_where_there_is_no_face_none_is_made_up() -> None:
    video = np.stack([landscape((128, 192), seed) for seed in range(3)])
    assert not has_face(followed(video)).any() and face_square(video) is None
    assert np.isnan(track(video)).all()


def test_a_face_that_comes_and_goes_is_there_when_it_is_there() -> None:
    person, nobody = portrait_of_astronaut((128, 128)), landscape((128, 128))
    there = np.array([False] * 7 + [True] * 3 + [False] * 8 + [True] * 2)
    video = np.stack([person if one else nobody for one in there])
    assert (has_face(followed(video)) == there).all()
    assert np.isfinite(track(video)).all(), "a renderer gets the points of the nearest frame"
    assert there[best_reference(followed(video))]
    picture = FaceKB(size=(128, 128)).picture(Sample("a", video=video, fps=25.0))
    assert picture is not None and (picture == person).all(), "the reference is a frame with a face"
    cut = face_square(video)
    assert cut is not None and cut == face_square([person])


def test_a_face_that_walks_in_from_the_side_stays_in_the_square() -> None:
    """It is first found at the edge; a square around that position alone would lose it."""
    person = portrait_of_astronaut((128, 128))
    empty = np.full((200, 640, 3), 90, np.uint8)
    walk = []
    for left in (0, 0, *range(0, 170, 8)):
        frame = empty.copy()
        frame[40:168, left : left + 128] = person
        walk.append(frame)
    cut = face_square(walk)
    assert cut is not None and cut != face_square(walk[:2])
    for frame in (walk[0], walk[-1]):
        face = follow.choose_face(frame)
        assert face is not None
        inside = middle(face) - cut[:2]
        assert (inside > 0).all() and (inside < cut[2]).all()
    still = [walk[0]] * 12
    assert face_square(still) == face_square(still[:1]), (
        "of a face that stays, the first frame says where"
    )


def test_what_is_between_the_lips_is_taken_from_frames_with_a_face() -> None:
    person, nobody = portrait_of_astronaut((256, 256)), landscape((256, 256))
    with_gaps = np.stack([nobody, person, nobody])
    policy = FaceKB(mouths=2)
    [with_gaps_sent], [alone] = (
        policy.update(KnowledgeBase(), [Sample("a", video=video, fps=25.0)])
        for video in (with_gaps, person[None])
    )
    assert isinstance(with_gaps_sent.streams["mouths"], Features)
    np.testing.assert_array_equal(
        with_gaps_sent.streams["mouths"].values, alone.streams["mouths"].values
    )


def test_motion_without_a_face_in_some_frames_is_that_of_the_nearest_with_one() -> None:
    person, nobody = portrait_of_astronaut((128, 128)), landscape((128, 128))
    sample = Sample("a", video=np.stack([nobody, person, nobody]), fps=25.0)
    kb = KnowledgeBase().add("", Picture(person))
    motion = FaceMotion().encode([sample], kb)[0].streams["motion"]
    assert isinstance(motion, Features)
    np.testing.assert_allclose(motion.values, 0, atol=1e-3)


# ------------------------------------------------------------------------------------------ several


def test_of_two_people_the_one_is_followed_who_was_asked_for() -> None:
    person = portrait_of_astronaut((192, 192))
    smaller = np.asarray(
        Image.fromarray(person[:, ::-1]).resize((160, 160), Image.Resampling.BICUBIC)
    )
    frame = beside(person, smaller, size=(208, 480))
    left, right = 120, 360
    for who, at in {"largest": left, "left": left, "right": right, "centre": right}.items():
        follower = Follower(who)
        # Someone else joins later, at the place that was asked for: it is still the same person.
        joined = [np.roll(frame, 2 * shift, axis=1) for shift in range(4)]
        xs = [
            middle(points)[0] - 2 * shift
            for shift, one in enumerate(joined)
            if (points := follower.next(one)) is not None
        ]
        assert len(xs) == 4
        if who != "centre":
            assert np.abs(np.array(xs) - at).max() < 30, who
        cut = face_square([frame], who)
        assert (
            cut is not None
            and abs(cut[0] + cut[2] / 2 - middle(follow.choose_face(frame, who))[0]) < 50
        )


def test_points_never_jump_to_another_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """With missed detections: the followed face is missing in a third of the frames, sometimes for
    longer."""
    person = faces(portrait_of_astronaut((192, 192)))[0]
    one, other = person, person + np.array([300, 0, 0], np.float32)
    rng = np.random.default_rng(5)
    missed = rng.random(60) < 0.3
    missed[20 : 20 + 3 * PATIENCE] = True
    seen = [
        [*([] if gone else [one]), other]
        if rng.random() < 0.5
        else [other, *([] if gone else [one])]
        for gone in missed
    ]
    calls = iter(seen)
    monkeypatch.setattr(
        follow, "faces", lambda picture: next(calls) if picture.shape[1] == 640 else []
    )
    monkeypatch.setattr(
        Follower, "_is_person", lambda self, frame, face: True
    )  # twins: a detector is all that tells them apart
    follower = Follower("left")
    frame = np.zeros((256, 640, 3), np.uint8)
    monkeypatch.setattr(follow, "_search_parts", lambda frame: [])
    found = [follower.next(frame) for _ in seen]
    there = ~missed
    assert all(
        (points is not None) == is_there for points, is_there in zip(found, there, strict=True)
    )
    assert all(
        middle(points)[0] == pytest.approx(middle(one)[0]) for points in found if points is not None
    )


@pytest.mark.parametrize("same", [True, False])
def test_after_a_gap_a_face_elsewhere_is_the_persons_if_it_looks_like_it(
    monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """A cut to another person is not a movement to the other side."""
    one = faces(portrait_of_astronaut((192, 192)))[0]
    other = one + np.array([300, 0, 0], np.float32)
    shots: Sequence[list[np.ndarray]] = (
        [[one]] * 3 + [[]] * (PATIENCE + 1) + [[other]] * 4 + [[one]] * 3
    )
    calls = iter(shots)
    monkeypatch.setattr(
        follow, "faces", lambda picture: next(calls) if picture.shape[1] == 640 else []
    )
    monkeypatch.setattr(follow, "_search_parts", lambda frame: [])
    monkeypatch.setattr(Follower, "_is_person", lambda self, frame, face: same or face is one)
    follower = Follower()
    found = [follower.next(np.zeros((256, 640, 3), np.uint8)) for _ in shots]
    at = [
        None if points is None else round(float(middle(points)[0] - middle(one)[0]))
        for points in found
    ]
    back = [300] * 4 if same else [None] * 4
    assert at[: 3 + PATIENCE + 1 + 4] == [0] * 3 + [None] * (PATIENCE + 1) + back
    if not same:
        assert at[-3:] == [0] * 3


def test_dlib_tells_people_apart_and_one_person_from_nobody() -> None:
    pytest.importorskip("dlib", reason="pip install 'semcore-video[face]'")
    person = portrait_of_astronaut((192, 192))
    follower = Follower()
    assert follower.next(person) is not None
    turned = np.asarray(Image.fromarray(person).rotate(8, Image.Resampling.BICUBIC))
    assert follower._is_person(turned, faces(turned)[0])
    for number in (0, 18, 54):
        [face] = faces(stranger(number))
        assert not follower._is_person(stranger(number), face)


def test_of_two_people_who_are_seen_in_turn_one_is_followed() -> None:
    """Shot and reverse shot: the other person's face is never taken for the followed one."""
    pytest.importorskip("dlib", reason="pip install 'semcore-video[face]'")
    person, other = portrait_of_astronaut((320, 320)), np.roll(stranger(18), 60, axis=1)
    nobody = landscape((320, 320))
    shots = (
        [person] * 3
        + [nobody] * (PATIENCE + 1)
        + [other] * 4
        + [nobody] * (PATIENCE + 1)
        + [person] * 2
    )
    there = [one is person for one in shots]
    assert (has_face(followed(np.stack(shots))) == there).all()


# --------------------------------------------------------------------------------------- it is said


PIPELINE = """\
semcore: 1
name: faces
source: {{use: av-clips, path: "{path}", size: [96, 96]}}
encoder: {{use: face-keypoints}}
transport: {{use: dct, symbols: 60}}
channel: {{use: awgn, snr_db: 20}}
generator: {{use: keypoint-warp}}
metrics: [akd]
"""


def test_what_was_not_found_is_said_by_check_run_rows_and_page(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="pip install 'semcore-video[av]'")
    person, nobody = portrait_of_astronaut((96, 96)), landscape((96, 96))
    for name, frames in {
        "nobody": [nobody] * 6,
        "part": [nobody] * 4 + [person] * 2,
        "whole": [person] * 2,
    }.items():
        clip = mp4(Sample(name, video=np.stack(frames), fps=25.0))
        assert clip is not None
        (tmp_path / f"{name}.mp4").write_bytes(clip)
    (tmp_path / "faces.yaml").write_text(PIPELINE.format(path=tmp_path))

    def called(*arguments: str) -> str:
        done = CliRunner().invoke(cli, [arguments[0], str(tmp_path / "faces.yaml"), *arguments[1:]])
        assert done.exit_code == 0, done.output
        return done.output

    assert "nobody.mp4: no face in its first 50 frames" in (checked := called("check"))
    assert "part.mp4: no face" not in checked and "whole.mp4: no face" not in checked
    said = called("run", "--out", str(tmp_path / "run"))
    found = "face: found in 4 of 14 frames: nobody/000 (none of 6), part/000 (2 of 6)"
    assert found in said and "akd: judged in 4 of 14 frames" in said
    [items] = (tmp_path / "run").glob("cells/*/items.jsonl")
    rows = {row["sample"]: row for row in map(json.loads, items.read_text().splitlines())}
    assert {name: row["found"]["face"] for name, row in rows.items()} == {
        "nobody/000": [0, 6], "part/000": [2, 6], "whole/000": [2, 2],
    }  # fmt: skip
    assert (
        rows["part/000"]["judged"] == {"akd": [2, 6]}
        and rows["nobody/000"]["metrics"]["akd"] is None
    )
    assert found in (tmp_path / "run/report.html").read_text()
    codec = called(
        "run",
        "--out",
        str(tmp_path / "codec"),
        "encoder.use=video-codec",
        "generator.use=video-codec",
        "transport={use: ldpc}",
        "metrics=[frame-psnr]",
    )
    assert "face: found in 0 of 6 frames: nobody/000 (none of 6)" in codec, (
        "the source says it, whatever is sent"
    )
    assert "face: found" not in called(
        "run",
        "--out",
        str(tmp_path / "uncut"),
        "source.face=false",
        "encoder.use=video-codec",
        "generator.use=video-codec",
        "transport={use: ldpc}",
        "metrics=[frame-psnr]",
    )


def test_whose_face_is_not_asked_where_nothing_is_cut() -> None:
    with pytest.raises(ComponentError, match=r"Clips\.person .*face: false"):
        Clips("videos", face=False, person="left")
