"""The commands behind `make`: report, notebooks, data, check, validate."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from welfare_analysis.errors import WelfareError

ROOT = Path(__file__).resolve().parents[2]
STANDIN_SEED = 20120924  # the first day of the caravan
SHOWN_FAULTS = 20
FORMULA_SIGNS = ("=", "+", "-", "@")


def report(_: argparse.Namespace) -> int:
    """Run the notebooks and write the site."""
    from welfare_analysis.publishing.report import publish

    print(os.path.relpath(publish(ROOT)))
    return 0


def notebooks(_: argparse.Namespace) -> int:
    """Run every notebook in place, on the stand-in, and draw the headline figures again."""
    from welfare_analysis.publishing import execution
    from welfare_analysis.publishing.figures import write_headlines

    # the committed notebooks show the stand-in only, whatever files the reader has named
    variables = {name: value for name, value in os.environ.items() if name not in execution.OWN_FILES}
    execution.run_in_place(execution.find(ROOT / "notebooks"), variables)
    write_headlines(ROOT / "figures")
    return 0


def data(_: argparse.Namespace) -> int:
    """Make the stand-in population and its answers again."""
    from welfare_analysis.survey import standin

    parameters = standin.Parameters.read(ROOT / "data" / "public")
    standin.write(standin.generate(parameters, STANDIN_SEED), ROOT / "data" / "survey")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Check a file of answers: 0 if it can be read, 1 if it has faults."""
    if not arguments.file:
        raise WelfareError("no file was named", hint="For example: make check FILE=answers.xlsx")
    path = Path(arguments.file)
    if not path.is_file():
        raise WelfareError("the file does not exist", where="FILE", got=arguments.file)
    from welfare_analysis.publishing.report import private
    from welfare_analysis.survey.codebook import Codebook
    from welfare_analysis.survey.reading import Faults, read

    try:
        answers = read(path, Codebook.read(Path(os.environ.get("CODEBOOK") or ROOT / "data" / "codebook")))
    except Faults as faults:
        table = faults.table.astype("str")
        target = private(ROOT / "build") / "check" / "faults.csv"
        target.parent.mkdir(exist_ok=True)
        table.apply(lambda column: column.map(as_text)).to_csv(target, index=False)
        print(table.head(SHOWN_FAULTS).to_string(index=False))
        print(f"{len(table)} faults; all of them are in {os.path.relpath(target)}")
        return 1
    print(f"No fault in {len(answers.frame)} answers; blocks: {', '.join(answers.blocks)}")
    return 0


def validate(_: argparse.Namespace) -> int:
    """Run the long simulations."""
    from welfare_analysis import validation

    validation.main()
    return 0


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before ``=``, ``+``, ``-`` and ``@``."""
    return f"'{cell}" if cell.lstrip().startswith(FORMULA_SIGNS) else cell


COMMANDS: tuple[Callable[[argparse.Namespace], int], ...] = (report, notebooks, data, check, validate)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an error that the reader can mend is told in a sentence, with exit code 2."""
    parser = argparse.ArgumentParser(prog="welfare_analysis", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(run=command)
        if command is check:
            sub.add_argument("file", nargs="?", help="answers as .csv, .xlsx or .parquet")
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed)
    except WelfareError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
