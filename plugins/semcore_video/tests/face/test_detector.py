"""Face models given in the environment: MediaPipe's tasks with the models of its wheel."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from semcore import RunError
from semcore_video.face import detector
from semcore_video.face.encoder import FaceMotion
from semcore_video.kb.face import FaceKB
from semcore_video.sources.talking_samples import portrait_of_astronaut

mediapipe = pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
import google.protobuf  # noqa: E402
from google.protobuf.symbol_database import SymbolDatabase  # noqa: E402
from mediapipe.python import packet_getter, solution_base  # noqa: E402

MODULES = Path(mediapipe.__file__).parent / "modules"


@pytest.fixture(autouse=True)
def without_cached_models() -> Iterator[None]:
    """Clears the cached models around each test."""
    for function in (detector._detector, detector._segmenter):
        function.cache_clear()
    yield
    for function in (detector._detector, detector._segmenter):
        function.cache_clear()


def bundle(path: Path) -> Path:
    """The models of the wheel as a bundle for the tasks."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.write(
            MODULES / "face_detection/face_detection_short_range.tflite", "face_detector.tflite"
        )
        archive.write(
            MODULES / "face_landmark/face_landmark.tflite", "face_landmarks_detector.tflite"
        )
    return path


def test_a_landmarker_that_is_named_finds_the_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle lacks the metadata of the published one, so the positions of the points are not
    compared."""
    picture = portrait_of_astronaut((192, 192))
    before, known = FaceMotion().identity(), FaceKB().identity()
    assert known is None
    monkeypatch.setenv(detector.LANDMARKER, str(bundle(tmp_path / "face_landmarker.task")))

    upright = detector.faces(picture)
    assert len(upright) == 1 and upright[0].shape == (478, 3) and np.isfinite(upright[0]).all()
    assert not detector.faces(np.zeros((64, 64, 3), np.uint8))
    assert FaceMotion().identity() != before and FaceKB().identity()[0][0] == "face_landmarker.task"


def test_a_segmenter_that_is_named_tells_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = portrait_of_astronaut((192, 192))
    usual = detector.person_mask(picture)
    detector._segmenter.cache_clear()
    monkeypatch.setenv(
        detector.SEGMENTER, str(MODULES / "selfie_segmentation/selfie_segmentation.tflite")
    )
    found = detector.person_mask(picture)
    assert (
        found.shape == usual.shape == (192, 192)
        and np.corrcoef(found.ravel(), usual.ravel())[0, 1] > 0.9
    )


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(detector.LANDMARKER, str(tmp_path / "nothing.task"))
    with pytest.raises(
        RunError,
        match=r"SEMCORE_FACE_LANDMARKER is .*nothing.task, which is not a file; .*ai.google.dev",
    ):
        detector._detector()
    monkeypatch.delenv(detector.LANDMARKER)
    newer = SimpleNamespace(__version__="1.2.2")
    monkeypatch.setattr(detector, "_mediapipe", lambda: newer)
    with pytest.raises(RunError, match=r"MediaPipe \(1.2.2\) includes no models: set the paths"):
        detector._detector()
    monkeypatch.setattr(
        detector, "_detector", lambda: lambda pixels: [[SimpleNamespace(x=0, y=0, z=0)] * 68]
    )
    with pytest.raises(RunError, match="returns 68 points, not 478"):
        detector.faces(np.zeros((8, 8, 3), np.uint8))


def test_the_numbers_are_those_of_mediapipe_itself() -> None:
    """The class that works with any protobuf finds the points of MediaPipe's own."""
    if int(google.protobuf.__version__.split(".")[0]) > 6:
        pytest.skip("MediaPipe's own class needs protobuf below 7")
    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=detector.PEOPLE, refine_landmarks=True
    )
    picture = portrait_of_astronaut((192, 192))
    (face,) = mesh.process(picture).multi_face_landmarks
    wanted = [(point.x * 192, point.y * 192, point.z * 192) for point in face.landmark]
    assert np.array_equal(detector.faces(picture)[0], np.array(wanted, np.float32))


def test_what_newer_versions_of_protobuf_lack_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protobuf 7 has no label of a field, and no symbol database that finds a class."""

    def gone(*arguments: object) -> None:
        raise AttributeError("'FieldDescriptor' object has no attribute 'label'")

    picture = portrait_of_astronaut((192, 192))
    usual = detector.faces(picture)[0]
    detector._detector.cache_clear()
    detector._classes_by_descriptor.cache_clear()
    monkeypatch.setattr(solution_base.SolutionBase, "_modify_calculator_options", gone)
    if hasattr(SymbolDatabase, "GetPrototype"):
        monkeypatch.delattr(SymbolDatabase, "GetPrototype")
    known = packet_getter.symbol_database
    try:
        assert np.array_equal(detector.faces(picture)[0], usual)
    finally:
        packet_getter.symbol_database = known
        detector._classes_by_descriptor.cache_clear()
