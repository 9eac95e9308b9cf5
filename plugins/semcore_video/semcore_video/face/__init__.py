"""Faces: points of a mesh, pose and expression as 12 numbers a frame, and a renderer that needs no
weights."""
