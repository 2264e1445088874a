"""Data faults: what is wrong with a meter's readings. Pure; time comes from stamps.

Every reading passes here before power analysis sees it. One family a file: `stuck` (frozen),
`perfect` and `repeats` (a simulator on the bus), `reversed`, `phases`, `voltage`, `counters`,
`identity` (ratios, serial numbers, addresses), `spikes`, `gaps`; `meter` joins them for one meter,
`look` is what they judge, `report` how they tell it.
"""

from edge.sensors.faults.analyser import FaultAnalyser
from edge.sensors.faults.meter import Checked

__all__ = ["Checked", "FaultAnalyser"]
