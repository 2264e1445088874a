"""What the gateway does not tell: the detector's runtime reports to nobody that it runs."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.vision.onnx_file import grid_model

PROGRAM = "from edge.vision.detect.loading import load_detector as load; load({path!r}, 1)"


def test_loading_a_model_leaves_no_trace_of_a_reporter_at_home(tmp_path):
    (home := tmp_path / "home").mkdir()
    (model := tmp_path / "m.onnx").write_bytes(grid_model([((1.0, 1.0, 9.0, 9.0), (0.9, 0.0))]))
    told = {"ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI", "XDG_CACHE_HOME"}
    ours = {name: value for name, value in os.environ.items() if name not in told}
    subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM.format(path=str(model))],
        env=ours | {"HOME": str(home)},
        check=True,
    )
    assert not [path for path in home.rglob("*") if path.is_file()]
