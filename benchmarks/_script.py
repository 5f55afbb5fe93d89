"""What the command lines and the tables of benchmarks have in common."""

import argparse
import ast
import importlib

import torch


class NotInstalledError(Exception):
    """A package that only this comparison needs does not import."""


def optional(module, name):
    """Return something of a package that need not be installed."""
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # old releases fail with new SciPy in several ways
        # Without the folder it was looked for in.
        reason = str(error).partition(" (")[0]
        package = module.partition(".")[0]
        raise NotInstalledError(f"{package}: {reason}") from None


def make_parser(doc, *, repeats=None, threads=False, workloads=(), data=()):
    """Return a parser with `--quick` and those of the usual options that are wanted.

    `repeats` is the default of its option; `workloads` are names of which `--only`
    chooses one, `data` those of which `--data` does (`--only` then chooses methods).
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if threads:
        parser.add_argument("--threads", type=int, default=1, help="of torch")
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats)
    if workloads:
        parser.add_argument("--only", choices=workloads)
    if data:
        parser.add_argument("--data", choices=data, default="digits")
        parser.add_argument("--only", nargs="+", default=[""], help="parts of names")
    parser.add_argument(
        "--quick", action="store_true", help="see that the script runs: no figures"
    )
    return parser


def add_learning_options(parser):
    """Add the options of scripts that learn from all samples and few labels."""
    parser.add_argument("--device", default="auto")
    parser.add_argument("--no-test", action="store_true", help="to choose by the slice")
    parser.add_argument("--n-samples", type=int, help="training samples to take")


def add_changes(parser, option, what):
    """Add an option that changes parameters."""
    parser.add_argument(
        option,
        type=assignment,
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"that the {what} is changed by",
    )


def assignment(text):
    """Return name and value of "name=literal"."""
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return name, value


def parse(parser):
    """Return the arguments; set and announce the number of threads."""
    arguments = parser.parse_args()
    if arguments.quick and "repeats" in arguments:
        arguments.repeats = 1
    if "threads" in arguments:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    return arguments


def chosen(methods, arguments):
    """Yield the methods of whose names `--only` has a part, by name."""
    for name, method in methods.items():
        if any(part in name for part in arguments.only):
            yield name, method


class Table:
    """Rows that are printed one by one, under headings that are printed first.

    `width` is that of the names; `columns` are formats such as "8.1f" by heading.
    """

    def __init__(self, width, columns):
        self.width, self.formats = width, list(columns.values())
        self._print("", columns)

    def row(self, name, *values):
        """Print a row; strings are printed as they are, and NaN leave a gap."""
        pairs = zip(values, self.formats, strict=True)
        cells = (v if isinstance(v, str) else format(v, f) for v, f in pairs)
        self._print(name, ("-" if cell.strip() == "nan" else cell for cell in cells))

    def _print(self, name, cells):
        widths = (int(f.strip("+dfs").split(".")[0]) for f in self.formats)
        cells = (f"{c:>{width}}" for c, width in zip(cells, widths, strict=True))
        print(f"{name:<{self.width}}", *cells, flush=True)
