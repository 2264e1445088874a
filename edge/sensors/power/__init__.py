"""Power: work told from keeping alive. Pure; time comes from stamps.

One idea a file: `figures` (what counts), `idle` and `swings` (what a feeder shows), `running`
(LOAD_RUNNING), `minutes`, `usual` (the baseline), `machines` (what may run), `watch` (what is left
over), `site` (which meters are watched as what), `days` (shares and shapes of whole days),
`analyser` (all of it for one site).
"""

from edge.sensors.power.analyser import PowerAnalyser
from edge.sensors.power.figures import power_of

__all__ = ["PowerAnalyser", "power_of"]
