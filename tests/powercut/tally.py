"""What the cuts have come to."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts, and a line for everything that is wrong."""

    cuts: int = 0
    no_model: int = 0
    floors: int = 0
    retries: int = 0
    faults: int = 0
    cable_wrong: int = 0
    wrong: list[str] = field(default_factory=list)

    def without_model(self, where: str, why: str) -> None:
        """A board that came up with no model, though there had been one."""
        self.no_model += 1
        self.wrong.append(f"{where}: no model opens: {why}")

    def lowered(self, where: str, floor: int) -> None:
        """A version floor that went down."""
        self.floors += 1
        self.wrong.append(f"{where}: the floor is {floor}")

    def not_repeated(self, where: str, why: str) -> None:
        """A command that did not succeed when it was repeated."""
        self.retries += 1
        self.wrong.append(f"{where}: the same again fails: {why}")

    def bad_end(self, where: str, why: str) -> None:
        """A cable's fault that the host did not answer as it should."""
        self.cable_wrong += 1
        self.wrong.append(f"{where}: {why}")

    def __add__(self, other: "Tally") -> "Tally":
        """The two together."""
        numbers = ("cuts", "no_model", "floors", "retries", "faults", "cable_wrong")
        sums = {name: getattr(self, name) + getattr(other, name) for name in numbers}
        return Tally(**sums, wrong=self.wrong + other.wrong)

    @property
    def clean(self) -> bool:
        """Whether everything was cut, and nothing is wrong."""
        return bool(self.cuts) and not self.wrong

    def __str__(self) -> str:
        """The line that the command ends in."""
        return (
            f"powercut: {self.cuts:,} cuts, {self.no_model} boards without a model, {self.floors} floors lowered, "
            f"{self.retries} retries failed"
        )
