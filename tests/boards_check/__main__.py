"""The command. Exit status 1 when there is a problem."""

from .checking import check


def main() -> int:
    """The exit status."""
    boards, problems = check()
    for problem in problems:
        print(problem)
    print(f"boards: {boards} checked, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
