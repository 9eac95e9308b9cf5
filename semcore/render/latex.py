"""Words and numbers as LaTeX, so that any text of a run can stand in a paper."""

from __future__ import annotations

import re
import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': "''", "`": r"\textasciigrave{}",
}  # fmt: skip
SIGNS = {
    "→": r"$\rightarrow$", "←": r"$\leftarrow$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$",
    "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "÷": r"$\div$", "∞": r"$\infty$", "°": r"$^\circ$", "−": "$-$",
    "–": "--", "—": "---", "…": r"\ldots{}", "\u00a0": "~", "\u202f": r"\,", "’": "'", "‘": "`", "“": "``", "”": "''",
    "²": "$^2$", "³": "$^3$", "µ": r"$\mu$", "§": r"\S{}",
}  # fmt: skip
GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega"


def escaped(words: str) -> str:
    """Words as LaTeX text: nothing in them is a command, and every sign has one."""
    return "".join(map(_sign, words))


def _sign(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if character in SIGNS:
        return SIGNS[character]
    if character.isascii():
        return character if character.isprintable() else " "
    name = unicodedata.name(character, "").split()
    if name[:1] == ["GREEK"] and name[-1].lower() in GREEK.split() and len(name) == 4:
        return f"${chr(92)}{name[-1].lower() if name[1] == 'SMALL' else _capital(name[-1])}$"
    if unicodedata.category(character)[0] == "L":
        return character  # LaTeX reads UTF-8
    return rf"\texttt{{U+{ord(character):04X}}}"


def _capital(name: str) -> str:
    """Greek capitals that look Latin have no command of their own."""
    latin = {"ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I", "KAPPA": "K", "MU": "M",
             "NU": "N", "RHO": "P", "TAU": "T", "CHI": "X"}  # fmt: skip
    return rf"mathrm{{{latin[name]}}}" if name in latin else name.capitalize()


def number(shown: str, bold: bool = False) -> str:
    """A number, perhaps with its interval (±, or both ends in brackets) and words after it; – where there is none."""
    if shown == "–":
        return "--"
    value, _, words = shown.partition(" exact")[0].rpartition(", ") if shown.endswith(" exact") else (shown, "", "")
    tail = f"{', ' * bool(value)}{words} exact" if words else ""
    if not value:
        return tail
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
    """A name that can be referred to."""
    return re.sub(r"[^A-Za-z0-9:.-]+", "-", name).strip("-") or "results"
