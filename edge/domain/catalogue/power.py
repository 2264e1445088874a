"""What the feeders tell of work."""

from __future__ import annotations

from edge.domain.activity import ActivityKind
from edge.domain.alarm import Alarm, AlarmCode
from edge.domain.names import Name

ALARMS = (
    Alarm(
        AlarmCode.PRODUCTION_LOAD,
        ActivityKind.LOAD_RUNNING,
        Name("生产设备用电", "Production feeder is running"),
        Name(
            "电表 {source} 显示{aspect}在运行：{kw} kW，峰值 {peak_kw} kW，空载 {idle_kw} kW",
            "meter {source} shows the {aspect} running: {kw} kW, peak {peak_kw} kW, "
            "idle {idle_kw} kW",
        ),
        1,
    ),
)
