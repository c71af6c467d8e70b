"""What a part of the campaign found."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Files of models, random cases, values compared, those that differ or are missing, a line for each such case."""

    models: int = 0
    cases: int = 0
    values: int = 0
    differ: int = 0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.models + other.models,
            self.cases + other.cases,
            self.values + other.values,
            self.differ + other.differ,
            self.wrong + other.wrong,
        )

    def __str__(self) -> str:
        return (
            f"conformance: {self.models} models, {self.cases} operator cases, "
            f"{self.values} values compared, {self.differ} differ"
        )
