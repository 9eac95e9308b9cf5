"""Faces: detection, pose and expression as 12 numbers per frame, and renderers without weights."""
