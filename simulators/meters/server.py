"""Modbus servers over the simulated units, TCP and RTU, through pymodbus.

pymodbus' own request handler answers a slow request with the newest request's id and cannot
keep silent for one unit; a real unit echoes the id it was asked with. So the handler here
keeps each request, and every unit has its own faults.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Self, cast

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.meters.line import PtyLine
from simulators.meters.units import Unit

_FUNCTIONS = {1, 2, 3, 4, 5, 15}
_COIL_WRITES = {5: 1, 15: 1}

Action = Callable[
    [int, int, int, int, list[int], list[int] | list[bool] | None],
    Coroutine[None, None, ExcCodes | None],
]


class _Handler(ServerRequestHandler):
    """One connection."""

    def handle_later(self) -> None:
        if self.last_pdu is not None:
            self.server.answer_later(self._answer(self.last_pdu, self.last_addr))

    async def _answer(self, request: ModbusPDU, addr: Any) -> None:
        unit = self.server.units.get(request.dev_id)
        if unit is None or unit.silent:
            return  # as on a real line
        if unit.delay_s:
            await asyncio.sleep(unit.delay_s)
        if unit.garbage:
            self.send(os.urandom(24), addr)
            return
        if request.function_code in _FUNCTIONS:
            response = await request.datastore_update(self.server.context, request.dev_id)
        else:
            response = ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_FUNCTION)
        response.transaction_id = request.transaction_id
        response.dev_id = request.dev_id
        self.pdu_send(response, addr=addr)


class _Answers:
    """What both servers add to pymodbus': units by address, and the answers under way."""

    units: dict[int, Unit]
    tasks: set[asyncio.Task[None]]

    def adopt(self, units: Sequence[Unit]) -> None:
        self.units = {unit.unit: unit for unit in units}
        self.tasks = set()

    def answer_later(self, answer: Any) -> None:
        task = asyncio.get_running_loop().create_task(answer)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def callback_new_connection(self) -> _Handler:
        return _Handler(self, None, None, None)  # type: ignore[no-untyped-call]

    async def end(self) -> None:
        tasks = tuple(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _TcpServer(_Answers, ModbusTcpServer):
    pass


class _SerialServer(_Answers, ModbusSerialServer):
    pass


class _Served:
    """A server that runs from `_start` to `_stop`."""

    _server: _TcpServer | _SerialServer | None = None

    async def _start(
        self, server: _TcpServer | _SerialServer, units: Sequence[Unit], where: str
    ) -> None:
        server.adopt(units)
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            words = f"{where} cannot be opened; is it in use, or not this machine's?"
            raise OSError(errno.EADDRINUSE, words) from error
        self._server = server

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.end()
            await server.shutdown()  # type: ignore[no-untyped-call]


class MeterServer(_Served):
    """Units behind one Modbus TCP address.

    Args:
        units: with distinct addresses.
        host: interface to listen on.
        port: 0 lets the system choose; read `port` then.
        now: monotonic seconds, for the loads.

    Raises:
        OSError: on entering, when the address is in use.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._units = units
        self._now = now
        self.host = host
        self.port = port

    async def __aenter__(self) -> Self:
        devices = [_device(unit, self._now) for unit in self._units]
        server = _TcpServer(devices, address=(self.host, self.port))
        await self._start(server, self._units, f"{self.host}:{self.port}")
        self.port = cast("asyncio.Server", server.transport).sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()


class RtuMeterServer(_Served):
    """Units on one serial line: a pty whose device `device` a client opens.

    Attributes:
        line: the cable; disturbances can be put on it.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        *,
        baud: int = 9600,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._units = units
        self._baud = baud
        self._now = now
        self.line = PtyLine()

    @property
    def device(self) -> str:
        """Path of the client's end."""
        return self.line.client_device

    async def __aenter__(self) -> Self:
        await self.line.__aenter__()
        devices = [_device(unit, self._now) for unit in self._units]
        server = _SerialServer(devices, port=self.line.server_device, baudrate=self._baud)
        await self._start(server, self._units, self.line.server_device)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        await self.line.__aexit__()


def _device(unit: Unit, now: Callable[[], float]) -> SimDevice:
    spans = unit.spans()
    blocks: list[list[SimData]] = []
    for function in (1, 2, 3, 4):
        kind = DataType.BITS if function <= 2 else DataType.REGISTERS
        mine = [span for span in spans if span.function == function]
        blocks.append(
            [
                SimData(
                    span.address,
                    values=[False] * span.count if function <= 2 else [0] * span.count,
                    datatype=kind,
                )
                for span in mine
            ]
            or [SimData(0, values=[False] * 16 if function <= 2 else [0], datatype=kind)]
        )
    return SimDevice(
        unit.unit,
        simdata=(blocks[0], blocks[1], blocks[2], blocks[3]),
        action=_action(unit, now),
    )


def _action(unit: Unit, now: Callable[[], float]) -> Action:
    """Called by pymodbus for every access, before it takes the registers."""
    readable = {span.function for span in unit.spans()}

    async def action(
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        _ = count
        table = _COIL_WRITES.get(function, function)
        if table not in readable:
            return ExcCodes.ILLEGAL_FUNCTION
        for offset, value in enumerate(values or ()):
            if not unit.write_coil(address + offset, bool(value)):
                return ExcCodes.ILLEGAL_ADDRESS
        memory = unit.memory(now())
        for index in range(len(registers)):
            if table <= 2:
                bits = (
                    memory.get((table, 16 * (start + index) + bit), 0) << bit for bit in range(16)
                )
                registers[index] = sum(bits)
            else:
                registers[index] = memory.get((table, start + index), 0)
        return None

    return action
