"""How much is too much: the limits of what is read from a disk or decoded from a channel, all in
one place."""

MAX_PIXELS = 2**26
"""Most pixels of a picture that a source reads (67 megapixels): a few kilobytes can claim to hold
gigapixels."""
MAX_RECEIVED_PIXELS = 2**24
"""Most pixels of a picture that came over a channel and whose size the session does not tell (17
megapixels)."""
MAX_SCANS = 100
"""Most scans of a JPEG: each goes over the whole picture, whatever it holds; usual are 1 to 12."""
MAX_SEGMENTS = 4096
"""Most segments of a JPEG, most of which are metadata; usual are 5 to 40, and some hundreds with
depth maps."""
MAX_FRAMES = 10_000
"""Most pictures of one sequence."""
MAX_SEQUENCE_PIXELS = 2**30
"""Most pixels of all pictures of one sequence together (3 GB as they lie in memory)."""
MAX_CLIP_FRAMES = 1_000_000
"""Most frames of a clip that is read segment by segment (11 hours at 25 frames a second)."""
MAX_DRAWN = 100_000
"""Most pictures that are drawn for a run, or as candidates of one sample."""
MAX_FILE_BYTES = 2**29
"""Largest file that a source opens (512 MiB)."""
BATCH_VALUES = 2**25
"""Source values (bytes of pictures and frames) from which a batch takes no further samples,
whatever number of them it could hold: what is made of a batch takes several times its size in
memory."""
MAX_TEXT_BYTES = 2**28
"""Largest file of a run that is parsed (256 MiB)."""
MAX_KEPT_BYTES = 2**30
"""Largest other file of a run (1 GiB): a clip, a picture, what a stage made."""
