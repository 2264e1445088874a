"""Cameras: from untrusted streams to sightings, and from sightings to activities."""

import os

# onnxruntime (1.29 and later) reports sessions and model names to its maker over HTTPS and keeps
# a device id under the home directory, unless told so before it is loaded. What a sealed mine's
# gateway says, it says to the province alone.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
