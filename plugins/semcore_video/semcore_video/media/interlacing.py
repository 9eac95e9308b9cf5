"""Deinterlacing of video whose frames contain two fields of different times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av


def progressive(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Frames deinterlaced to the time of their first field by FFmpeg's filter `bwdif`.

    Frames that are not interlaced are unchanged, and each frame keeps its time stamp.
    """
    graph: Any = None
    shape: Any = None
    for frame in frames:
        if graph is not None and shape != _shape(frame):
            yield from _through(graph, None)
            graph = None
        if graph is None:
            if not frame.interlaced_frame:
                yield frame
                continue
            graph, shape = _deinterlacer(frame), _shape(frame)
        yield from _through(graph, frame)
    if graph is not None:
        yield from _through(graph, None)


def _shape(frame: av.VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _deinterlacer(frame: av.VideoFrame) -> Any:
    from semcore_video.media.pyav import av

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(
        source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    ).configure()
    return graph


def _through(graph: Any, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
    """The output of a filter for a frame; None: end of the stream."""
    from semcore_video.media.pyav import av

    graph.vpush(frame)
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
