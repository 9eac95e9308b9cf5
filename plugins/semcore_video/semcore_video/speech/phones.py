"""The phones of American English, and the frame of their durations."""

from __future__ import annotations

ARPABET = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "B": "b", "CH": "tS",
    "D": "d", "DH": "D", "EH": "E", "ER": "3:", "EY": "eI", "F": "f", "G": "g", "HH": "h",
    "IH": "I", "IY": "i:", "JH": "dZ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "N",
    "OW": "oU", "OY": "OI", "P": "p", "R": "r", "S": "s", "SH": "S", "T": "t", "TH": "T",
    "UH": "U", "UW": "u:", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
}  # fmt: skip
"""Phone of the CMU dictionary -> its name in eSpeak NG."""
SILENCE = "SIL"
NAMES = (SILENCE, *ARPABET)
"""Phones by their index in a stream."""
FRAME_S = 0.01
"""Length of a frame, s."""
NUMBERS = {name: number for number, name in enumerate(NAMES)}
