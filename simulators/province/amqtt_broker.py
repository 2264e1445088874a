"""amqtt as a process of its own: the broker where mosquitto is not installed. MQTT 3.1.1 only."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys

from amqtt.broker import Broker


async def serve(port: int, tls: dict[str, str]) -> None:
    """Serve until SIGTERM. `tls`: `cafile`, `certfile`, `keyfile`, or empty."""
    listener: dict[str, object] = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    if tls:
        listener |= {"ssl": True, **tls}
    broker = Broker(
        {
            "listeners": {"default": listener},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(int(sys.argv[1]), json.loads(sys.argv[2])))
