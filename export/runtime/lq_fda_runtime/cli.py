"""The command line: parse, call one function, print."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lq_fda_runtime import __version__
from lq_fda_runtime.errors import LqFdaRuntimeError, printable

# The functions import what they need: `--help` works, and errors stay one sentence, without a runtime.


def classify(arguments: argparse.Namespace) -> None:
    from lq_fda_runtime.bundle import Bundle

    bundle = Bundle(arguments.bundle)
    found = {
        str(image): bundle.classify(image, top=arguments.top, file=arguments.file, num_threads=arguments.threads)
        for image in arguments.images
    }
    if arguments.json:
        _print_json({image: [item._asdict() for item in items] for image, items in found.items()})
        return
    for image, items in found.items():
        print(image)
        for label, probability in items:
            print(f"  {probability:6.1%}  {printable(label)}")


def benchmark(arguments: argparse.Namespace) -> None:
    from lq_fda_runtime import benchmark as timing
    from lq_fda_runtime.tables import latency_table

    records = timing.benchmark(
        arguments.model,
        threads=arguments.threads,
        protocol=timing.Protocol(rounds=arguments.rounds),
        isa=arguments.isa,
        fuse=not arguments.no_fuse,
        command=shlex.join(["lq-fda-runtime", *sys.argv[1:]]),
    )
    if arguments.output:
        timing.append_records(arguments.output, records)
    if arguments.json:
        _print_json(records)
    else:
        print(latency_table(records))


def info(arguments: argparse.Namespace) -> None:
    from lq_fda_runtime import machine
    from lq_fda_runtime.delegate import available_isas, library_path
    from lq_fda_runtime.litert import runtime_name, runtime_version
    from lq_fda_runtime.tables import machine_table, report_table

    found: dict[str, Any] = {
        "environment": {**machine.describe(), "isas": list(available_isas())},
        "interpreter": f"{runtime_name()} {runtime_version()}",
        "library": str(library_path()),
    }
    report = None
    if arguments.model:
        report = _report(arguments.model)
        found["delegate"] = {**dataclasses.asdict(report), "taken": report.taken}
    if arguments.json:
        _print_json(found)
        return
    print(machine_table(found))
    if report:
        print()
        print(report_table(report))


def _report(path: Path) -> Any:
    from lq_fda_runtime.bundle import MODEL, Bundle
    from lq_fda_runtime.interpreter import Interpreter

    interpreter = Interpreter(model_content=Bundle(path).read(MODEL)) if path.is_dir() else Interpreter(path)
    interpreter.allocate_tensors()
    return interpreter.report()


def selftest(arguments: argparse.Namespace) -> None:
    from lq_fda_runtime import selftest as testing
    from lq_fda_runtime.bundle import Bundle
    from lq_fda_runtime.tables import selftest_table

    results = testing.selftest(Bundle(arguments.bundle), isa=arguments.isa, num_threads=arguments.threads)
    if arguments.json:
        _print_json([{**dataclasses.asdict(result), "passed": result.passed} for result in results])
    else:
        print(selftest_table(results))
    testing.require_passed(results)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command; what a user can put right becomes one sentence on stderr and exit code 1."""
    parsed = parser().parse_args(arguments)
    try:
        parsed.run(parsed)
        sys.stdout.flush()
    except LqFdaRuntimeError as error:
        print(f"lq-fda-runtime: {printable(str(error))}", file=sys.stderr)
        sys.exit(1)
    except MemoryError:
        print(
            "lq-fda-runtime: There is not enough memory for this model. Close other programs, or take a smaller model.",
            file=sys.stderr,
        )
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does; the interpreter must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def parser() -> argparse.ArgumentParser:
    """All commands, each with an example in its help."""
    top = argparse.ArgumentParser(
        prog="lq-fda-runtime",
        description="Runs Larq Compute Engine's .tflite files in a stock LiteRT interpreter.",
        epilog="Each command has --help with an example.",
    )
    top.add_argument("--version", action="version", version=f"lq-fda-runtime {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    one = _command(commands, classify, "Name what images show.", "classify bundles/r20 cat.jpg dog.png --top 5")
    one.add_argument("bundle", type=Path, metavar="BUNDLE", help="a folder that `lq-fda convert` made")
    one.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="image files")
    one.add_argument("--top", type=int, default=3, help="how many labels (default 3)")
    one.add_argument(
        "--file", default="model.tflite", metavar="FILE",
        help="which network of the bundle: model.tflite (1-bit, the default), int8.tflite or float.tflite",
    )  # fmt: skip
    one.add_argument("--threads", type=int, default=1, help="threads (default 1)")

    one = _command(
        commands,
        benchmark,
        "Time the 1-bit file with the delegate against the int8 and float files on XNNPACK.",
        "benchmark bundles/r20 --threads 1,2,4 --output records.jsonl",
    )
    one.add_argument("model", type=Path, metavar="BUNDLE_OR_TFLITE", help="a bundle, or one .tflite file")
    one.add_argument("--threads", type=_thread_counts, default=(1,), help="thread counts, such as 1,2,4 (default 1)")
    one.add_argument("--rounds", type=int, default=200, help="runs of every file that count (default 200)")
    one.add_argument("--no-fuse", action="store_true", help="let the delegate run LCE's own operators only")
    one.add_argument("--output", type=Path, metavar="FILE", help="append the records to this .jsonl file")
    _add_isa(one)

    one = _command(
        commands,
        info,
        "Show the processor, the runtimes, and what the delegate does with a model.",
        "info bundles/r20/model.tflite",
    )
    one.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="a bundle, or one .tflite file")

    one = _command(
        commands,
        selftest,
        "Compare this machine's outputs with those of the machine that converted; exit code 1 if one differs.",
        "selftest bundles/r20",
    )
    one.add_argument("bundle", type=Path, metavar="BUNDLE", help="a folder that `lq-fda convert` made")
    one.add_argument("--threads", type=int, default=1, help="threads (default 1)")
    _add_isa(one)
    return top


def _command(commands: Any, run: Any, description: str, example: str) -> argparse.ArgumentParser:
    one = commands.add_parser(
        run.__name__,
        help=description,
        description=description,
        epilog=f"Example: lq-fda-runtime {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("--json", action="store_true", help="print JSON, for machines")
    one.set_defaults(run=run)
    return one


def _add_isa(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--isa", default="auto", help="the delegate's instruction set: auto, avx512, avx2, neon or portable"
    )


def _thread_counts(text: str) -> tuple[int, ...]:
    if not all(part.strip().isdecimal() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected thread counts such as 1,2, received {text!r}")
    return tuple(int(part) for part in text.split(","))


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))
