"""Texts and numbers of a run as LaTeX."""

from __future__ import annotations

import re
import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "`": r"\textasciigrave{}",
}  # fmt: skip
"""Characters that act in LaTeX -> how they are typeset."""
SIGNS = {
    "→": r"$\rightarrow$", "←": r"$\leftarrow$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$",
    "≈": r"$\approx$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "÷": r"$\div$",
    "∞": r"$\infty$", "°": r"$^\circ$", "−": "$-$", "–": "--", "—": "---", "…": r"\ldots{}",
    "\u00a0": "~", "\u202f": r"\,", "’": "'", "‘": "`", "“": "``", "”": "''", "²": "$^2$",
    "³": "$^3$", "µ": r"$\mu$", "§": r"\S{}",
}  # fmt: skip
"""Characters outside ASCII -> their commands."""
LATIN = {
    "ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I", "KAPPA": "K",
    "MU": "M", "NU": "N", "RHO": "P", "TAU": "T", "CHI": "X",
}  # fmt: skip
"""Greek capitals that look Latin."""
GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi"),
    "omega",
)
"""Greek letters with a command of their name."""


def escaped(text: str) -> str:
    """Text as LaTeX that typesets it: nothing in it acts as a command."""
    return "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if character in SIGNS:
        return SIGNS[character]
    if character.isascii():
        return character if character.isprintable() else " "
    name = unicodedata.name(character, "").split()
    if name[:1] == ["GREEK"] and name[-1].lower() in GREEK and len(name) == 4:
        command = name[-1].lower() if name[1] == "SMALL" else _capital(name[-1])
        return rf"$\{command}$"
    if unicodedata.category(character)[0] == "L":
        return character  # LaTeX reads UTF-8
    return rf"\texttt{{U+{ord(character):04X}}}"


def _capital(name: str) -> str:
    """Greek capitals that look Latin have no command."""
    return rf"mathrm{{{LATIN[name]}}}" if name in LATIN else name.capitalize()


def number(shown: str, bold: bool = False) -> str:
    """A number as formatted for a table, in mathematics mode.

    Args:
        shown: as by `results.with_interval`: with `±` or `[low, high]`, and `3 exact` after it
        bold: set it in bold
    """
    if shown == "–":
        return "--"
    value, exact = shown, ""
    if shown.endswith(" exact"):
        value, _, exact = shown.rpartition(", ")
    if not value:
        return exact
    tail = f", {exact}" if exact else ""
    mean, bracket, ends = value.partition(" [")
    inside = r" \pm ".join(_digits(part) for part in mean.split(" ±"))
    if bracket:
        low, high = (_digits(end) for end in ends.removesuffix("]").split(", "))
        inside += rf"\ [{low},\ {high}]"
    return (rf"$\mathbf{{{inside}}}$" if bold else f"${inside}$") + tail


def _digits(text: str) -> str:
    mantissa, _, power = text.replace(",", "{,}").partition("e")
    return rf"{mantissa} \times 10^{{{int(power)}}}" if power else mantissa


def label(name: str) -> str:
    """A name as a label for cross-references."""
    return re.sub(r"[^A-Za-z0-9:.-]+", "-", name).strip("-") or "results"
