"""Cameras that do not exist: rendered scenes or video files behind real RTSP servers."""
