"""One figure as it is printed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """`fault` says what the answer should have been when the run behind the figure gave another one."""

    name: str
    figure: int | float
    unit: str
    note: str = ""
    fault: str = ""

    def __str__(self) -> str:
        figure = f"{self.figure:.2f}" if isinstance(self.figure, float) else str(self.figure)
        rest = f"WRONG: {self.fault}" if self.fault else self.note
        return f"{self.name:<18} {figure:>8} {self.unit:<18} {rest}".rstrip()
