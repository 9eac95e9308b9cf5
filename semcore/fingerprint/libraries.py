"""Which library a module belongs to, in which version, and with what it was built."""

from __future__ import annotations

import functools
import importlib.metadata
import json

NAMED_OTHERWISE = {
    "PIL": "pillow",
    "cv2": "opencv-contrib-python",
    "dlib": "dlib-bin",
    "open_clip": "open_clip_torch",
    "sionna": "sionna-no-rt",
    "skimage": "scikit-image",
}
"""Distributions whose modules have another name; what is missing here is looked for in all of them,
which takes longer."""


def refresh() -> None:
    """Read the metadata of the libraries again: one may have been upgraded."""
    versions.cache_clear()
    distribution.cache_clear()
    _distributions.cache_clear()


@functools.cache
def distribution(root: str) -> str:
    """The distribution that installed a top-level module, or ""."""
    for name in (NAMED_OTHERWISE.get(root, root), root):
        try:
            importlib.metadata.version(name)
            return name
        except importlib.metadata.PackageNotFoundError:
            continue
    return next(iter(_distributions().get(root, ())), "")


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return {
        root: sorted(set(names))
        for root, names in importlib.metadata.packages_distributions().items()
    }


@functools.cache
def versions(root: str) -> dict[str, str]:
    """The version of what a top-level module belongs to, and of the libraries that this was built
    with."""
    name = distribution(root)
    if not name:
        return {root: ""}
    found = {name: importlib.metadata.version(name)}
    try:
        direct = json.loads(
            importlib.metadata.distribution(name).read_text("direct_url.json") or "{}"
        )
        if commit := direct.get("vcs_info", {}).get("commit_id"):
            found[name] += f" {commit}"
        found |= {f"{name}: {part}": version for part, version in _PARTS.get(root, dict)().items()}
    except Exception as error:  # an import can raise anything
        found[f"{name}: parts"] = f"unknown ({type(error).__name__})"
    return found


def _of_pillow() -> dict[str, str]:
    from PIL import features

    names = ("jpg", "jpg_2000", "zlib", "libtiff", "webp", "avif", "littlecms2")
    known = {*features.modules, *features.codecs, *features.features}
    return {
        name: str(found) for name in names if name in known and (found := features.version(name))
    }


def _of_av() -> dict[str, str]:
    import av

    libraries = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {**libraries, "ffmpeg": str(getattr(av, "ffmpeg_version_info", ""))}


def _of_heif() -> dict[str, str]:
    import pillow_heif

    return {
        name: str(version)
        for name, version in pillow_heif.libheif_info().items()
        if isinstance(version, str)
    }


_PARTS = {"PIL": _of_pillow, "av": _of_av, "pillow_heif": _of_heif}
"""Libraries whose results depend on what they were built with."""
