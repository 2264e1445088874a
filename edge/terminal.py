"""What the commands share: where they write, and which configuration they read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(soft_wrap=True, markup=False, highlight=False)
err = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)

ConfigOption = Annotated[
    Path, typer.Option("-c", "--config", help="seal.toml of this gateway 本网关的配置文件")
]
DEFAULT_CONFIG = Path("/etc/eseal/seal.toml")
