"""What an attack found: the figures of the last line, and every verdict that was not the expected one."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """`accepted`: files that opened and must not; `released`: bytes of the plaintext left on the heap, 16 a piece;
    `secrets`: finds in the memory of the VM's process; `wrong`: a line for all that is not as it should be.
    """

    tried: int = 0
    accepted: int = 0
    released: int = 0
    secrets: int = 0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.tried + other.tried,
            self.accepted + other.accepted,
            self.released + other.released,
            self.secrets + other.secrets,
            self.wrong + other.wrong,
        )

    @property
    def clean(self) -> bool:
        """Whether every attack failed, and in the right way."""
        return not (self.accepted or self.released or self.secrets or self.wrong)

    def __str__(self) -> str:
        return (
            f"attack: {self.tried} files tried, {self.accepted} accepted, "
            f"{self.released} bytes released, {self.secrets} secrets found"
            + (f", {len(self.wrong)} wrong" if self.wrong else "")
        )
