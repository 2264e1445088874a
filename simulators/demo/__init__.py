"""The demo: a scripted night at an idle mine, from real sockets to verified alarms."""
