"""PyAV, which the extra `av` brings."""

from semcore import extra

with extra("semcore-video[av]", "clips need PyAV"):
    import av
    import av.filter
    from av.sidedata.sidedata import Type as SideDataType

__all__ = ["SideDataType", "av"]
