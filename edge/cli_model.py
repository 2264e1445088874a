"""The commands `eseal model …`: which detectors there are, how good, how fast."""

from __future__ import annotations

import json as spelling
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.table import Column, Table

from edge.config import load
from edge.errors import ConfigError, Fault
from edge.terminal import ConfigOption, err, out

app = typer.Typer(no_args_is_help=True, help="识别模型 · Detectors: list, bring, add, measure.")

NameOption = Annotated[str, typer.Option("--model", help="name, or .onnx file; empty: the default")]
OwnOption = Annotated[
    Path | None, typer.Option("--models", help="directory of this gateway's own models")
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object")]
NO_CONFIG = Path()


def _own(models: Path | None, config: Path) -> Path:
    from edge.vision.detect.loading import OWN_MODELS

    if models is not None:
        return models
    return load(config).detector.models if config != NO_CONFIG else OWN_MODELS


@app.command("list")
def list_models(
    config: ConfigOption = NO_CONFIG, models: OwnOption = None, json: JsonOption = False
) -> None:
    """列出 · Show the models that the manifests name, and which are here."""
    from edge.vision.detect.loading import known_models, place_of

    own = _own(models, config)
    rows: list[dict[str, Any]] = []
    for spec in known_models(own):
        place = place_of(spec, own)
        rows.append(
            {
                "name": spec.name,
                "default": spec.default,
                "here": str(place) if place else "",
                "decoder": spec.decoder,
                "input": f"{spec.width}x{spec.height}",
                "licence": spec.licence,
                "ap50": spec.figures.get("photos"),
            }
        )
    if json:
        print(spelling.dumps({"models": rows}))  # noqa: T201
        return
    table = Table(
        Column("name", no_wrap=True), "here", "decoder", "input", "licence", "AP50 person, vehicle"
    )
    for row in rows:
        name = f"{row['name']} *" if row["default"] else str(row["name"])
        here = "有 yes" if row["here"] else "无 no"
        figures = ", ".join(str(figure) for figure in row["ap50"] or ())
        table.add_row(
            name, here, str(row["decoder"]), str(row["input"]), str(row["licence"]), figures
        )
    out.print(table)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="name in the manifest")],
    source: Annotated[
        Path | None, typer.Option("--from", help="file or folder on a stick, instead of the net")
    ] = None,
    config: ConfigOption = NO_CONFIG,
    models: OwnOption = None,
) -> None:
    """取得 · Bring a model's file; a broken transfer is gone on with; its hash is checked."""
    from edge.model.pull import carry
    from edge.model.pull import pull as fetch
    from edge.vision.detect.loading import known_models, place_of
    from edge.vision.detect.manifest import find

    own = _own(models, config)
    spec = find(name, known_models(own))
    place = place_of(spec, own)
    if place is not None:
        out.print(f"已有 · already here: {place}")
        return
    if source is not None:
        place = carry(spec, source, own)
    else:
        columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task(spec.name, total=spec.size_bytes)
            place = fetch(spec, own, lambda done: progress.update(task, completed=done))
    out.print(f"已取得，校验相符 · here, its hash is right: {place}")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="an .onnx file", dir_okay=False)],
    name: Annotated[str, typer.Option(help="what to call it; by default the file's name")] = "",
    kind: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="LABEL=N,N", help="classes, e.g. person=0 vehicle=2,3"),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="look at this picture too")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say only what it is")] = False,
    config: ConfigOption = NO_CONFIG,
    models: OwnOption = None,
) -> None:
    """加入 · Find out a foreign model's format, run it once, and keep it for this gateway."""
    from edge.model.add import explain, labelled
    from edge.model.own import adopt
    from edge.vision.detect.loading import load_foreign, read_model

    data = read_model(file)
    detector = load_foreign(data, 1, str(file), labelled(kind or []))
    for line in explain(detector, picture):
        out.print(line)
    if dry_run:
        return
    spec = detector.spec.model_copy(update={"name": name or file.stem})
    entry = adopt(data, spec, _own(models, config))
    out.print(f"已加入 · added; write to seal.toml:\n[detector]\nmodel = {entry.name!r}")


@app.command("eval")
def evaluate(
    images: Annotated[Path, typer.Option(help="folder of the pictures", file_okay=False)],
    annotations: Annotated[Path, typer.Option(help="COCO annotations", dir_okay=False)],
    model: NameOption = "",
    config: ConfigOption = NO_CONFIG,
    models: OwnOption = None,
    json: JsonOption = False,
) -> None:
    """评估 · Measure a detector on labelled pictures: average precision, recall by size."""
    from edge.model.evaluate import evaluate as look
    from edge.model.evaluate import read_annotations
    from edge.vision.detect.loading import load_detector

    detector = load_detector(model, 1, _own(models, config))
    pictures = read_annotations(annotations, images)
    figures: dict[str, Any] = {}
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task(detector.spec.name, total=len(pictures))
        for figures in look(detector, pictures):
            if "done" in figures:
                progress.update(task, completed=figures["done"])
    if not figures.get("pictures"):
        fault = Fault("--images", f"{images} holds none of the pictures", "name their folder")
        raise ConfigError([fault])
    if json:
        print(spelling.dumps({"model": detector.spec.name, **figures}))  # noqa: T201
        return
    table = Table("", "AP50", "objects", "recall < 10 %", "10–25 %", "> 25 % of the height")
    for label in ("person", "vehicle"):
        of = figures[label]
        bands = [f"{share:.2f} ({count})" for count, share in of["recall"]]
        table.add_row(label, f"{of['ap50']:.3f}", str(of["objects"]), *bands)
    out.print(table)
    out.print(
        f"图片 · pictures: {figures['pictures']}; 读不出 · unreadable: {figures['unreadable']}"
    )


@app.command()
def bench(
    model: NameOption = "",
    config: ConfigOption = NO_CONFIG,
    models: OwnOption = None,
    json: JsonOption = False,
) -> None:
    """测速 · Milliseconds a picture on this machine, whole call and session, 1 and all threads."""
    from edge.model.bench import timings
    from edge.vision.detect.loading import load_detector

    own = _own(models, config)
    rows = timings(lambda threads: load_detector(model, threads, own))
    if json:
        told = [
            {"threads": row.threads, "ms": row.whole_ms, "session_ms": row.session_ms}
            for row in rows
        ]
        print(spelling.dumps({"model": model or "default", "timings": told}))  # noqa: T201
        return
    table = Table("threads", "ms a picture", "best", "session only", "best")
    for row in rows:
        figures = (row.whole_ms, row.whole_best_ms, row.session_ms, row.session_best_ms)
        table.add_row(str(row.threads), *(f"{figure:.1f}" for figure in figures))
    out.print(table)
