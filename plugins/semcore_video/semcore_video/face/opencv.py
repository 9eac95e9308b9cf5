"""OpenCV, which the extra `face` brings."""

from semcore import extra

with extra("semcore-video[face]", "pictures of faces are transformed by OpenCV"):
    import cv2

__all__ = ["cv2"]
