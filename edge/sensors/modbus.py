"""The one module that knows pymodbus: reads registers and bits, switches coils, one at a time.

What pymodbus leaves to us (versions of 2026):

- On RTU a late answer is taken for the next request's, and an echo or somebody else's frame
  swallows the answer behind it: there we look for the answer ourselves (`frames.search`).
- After every failure on a line we listen until it has fallen quiet; the poller's probe (see
  `plan.probe`) tells a late answer that comes after that.
- Its retries would add requests whose answers come late: none are made here.
- An answer that it cannot decode raises in the transport's callback: caught, the read fails.
- It waits with `asyncio.wait_for`, which in Python 3.11 loses a cancellation that comes at the
  very moment the answer or the connection does: `_heed_cancellation` after each of its calls.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import termios
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from edge.clock import Clock, Stamp
from edge.sensors.frames import MAX_HEARD, WRITE_COIL, is_clean, search
from edge.sensors.load import read_seconds, silence_seconds
from edge.sensors.plan import DISCRETE_INPUTS, Span
from edge.sensors.port import BusDownError, ModbusPort, NoAnswerError, RefusedError
from edge.sensors.spec import AnyBus, LineBus, SerialBus

_Client = AsyncModbusSerialClient | AsyncModbusTcpClient

_COIL_FRAME = Span(DISCRETE_INPUTS, 0, 24)  # a write and its answer are as long as this read's
_MAX_QUIET_ROUNDS = 5
_MAX_QUIET_S = 0.1
_STRAY_QUIET_S = 0.05  # whoever was heard asking has his answer by then
_UNDECODABLE = (ModbusException, ValueError, IndexError, KeyError, struct.error)

# A noisy line would fill the log: every failure reaches the poller as a SourceError anyway.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


def open_port(bus: AnyBus, clock: Clock) -> ModbusPort:
    """A port for `bus`, which several may use; nothing is opened before the first request."""
    return PymodbusPort(bus, clock)


class PymodbusPort:
    """ModbusPort over pymodbus' asyncio clients. Whoever comes while it is in use waits."""

    def __init__(self, bus: AnyBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._line = bus if isinstance(bus, LineBus) else None
        self._request = b""  # that an answer is awaited to, on a line
        self._echoes = False
        self._overdue = b""  # that none came to in time
        self._late: Stamp | None = None  # when it came
        self._strayed = False  # something was heard that nobody here asked for
        self._muddled = False  # bytes on TCP that are no answer: where the next begins is unknown
        self._disturbed = False  # something else was heard than what was asked for
        self._heard = 0
        self._used = clock.now()  # when something was last on the line
        self._turn = asyncio.Lock()
        self._client = self._make_client()

    async def read(
        self, unit: int, span: Span, timeout_s: float | None = None, listen_s: float = 0.0
    ) -> list[int]:
        timeout_s = timeout_s or self._bus.timeout_s
        async with self._turn:
            answer = await self._ask(
                unit, timeout_s, span, lambda client: _read(client, unit, span), listen_s
            )
            if answer.isError():
                code = int(getattr(answer, "exception_code", 0))
                raise RefusedError(
                    f"{self._name} unit {unit}: refuses to read {_words(span)} "
                    f"(exception {code}); check the meter's profile",
                    code,
                )
            values = _fitting(answer, unit, span)
            if values is None:
                await self._fall_quiet(timeout_s)
                raise NoAnswerError(
                    f"{self._name} unit {unit}: the answer does not fit {_words(span)}"
                )
            return values

    async def write_coil(self, unit: int, address: int, on: bool) -> None:
        where = f"{self._name} unit {unit}: coil {address:#06x}"
        timeout_s = self._bus.timeout_s
        async with self._turn:
            answer = await self._ask(
                unit,
                timeout_s,
                _COIL_FRAME,
                lambda client: client.write_coil(address, on, device_id=unit),
            )
            if answer.isError():
                code = getattr(answer, "exception_code", "?")
                raise RefusedError(f"{where} cannot be switched (exception {code})")
            told = (answer.dev_id, answer.function_code, answer.address, list(answer.bits[:1]))
            if told != (unit, WRITE_COIL, address, [on]):
                await self._fall_quiet(timeout_s)
                raise NoAnswerError(f"{where}: the answer does not fit")

    def close(self) -> None:
        self._client.close()

    @property
    def _name(self) -> str:
        if isinstance(self._bus, SerialBus):
            return f"bus {self._bus.code} ({self._bus.device})"
        return f"bus {self._bus.code} ({self._bus.host}:{self._bus.port})"

    def _make_client(self) -> _Client:
        client: _Client
        if isinstance(self._bus, SerialBus):
            client = AsyncModbusSerialClient(
                self._bus.device,
                framer=FramerType.RTU,
                baudrate=self._bus.baud,
                parity=self._bus.parity,
                stopbits=self._bus.stop_bits,
                timeout=self._bus.timeout_s,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._trace,
            )
        else:
            client = AsyncModbusTcpClient(
                self._bus.host,
                port=self._bus.port,
                framer=FramerType.RTU if self._line else FramerType.SOCKET,
                timeout=self._bus.timeout_s,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._trace,
            )
        self._guard(client.ctx)
        return client

    async def _connect(self) -> None:
        if self._client.connected:
            return
        self._client.close()
        self._client = self._make_client()  # a fresh one: nothing of the old line is left in it
        try:
            connected = await self._client.connect()
        except termios.error as error:  # which is no OSError, and passes pymodbus by
            traceback.clear_frames(error.__traceback__)  # they hold the device open, and locked
            raise BusDownError(
                f"{self._name}: the device cannot be set so; check baud, parity and stop_bits"
            ) from error
        _heed_cancellation()
        if not connected:
            raise BusDownError(f"{self._name}: cannot be opened; check the address and the cable")

    async def _ask(
        self,
        unit: int,
        timeout_s: float,
        span: Span,
        request: Callable[[_Client], Awaitable[ModbusPDU]],
        listen_s: float = 0.0,
    ) -> ModbusPDU:
        """One request and whatever answer came in time."""
        await self._connect()
        await self._wait_for_silence()
        self._muddled = self._disturbed = False
        self._client.ctx.comm_params.timeout_connect = self._patience_s(timeout_s, span)
        began, self._late = self._clock.now(), None
        try:
            answer = await request(self._client)
            _heed_cancellation()
        except ModbusException as error:
            self._request, self._overdue = b"", self._request
            heard = self._heard
            await self._fall_quiet(timeout_s)
            disturbed = self._disturbed or (self._heard != heard and self._late is None)
            late_s = await self._listen(began, listen_s)
            raise NoAnswerError(
                f"{self._name} unit {unit}: no answer within {timeout_s:g} s; "
                + ("check its address, supply and wiring" if late_s is None else "it came later"),
                late_s,
                disturbed=disturbed,
            ) from error
        finally:
            self._request = b""
        return answer

    def _patience_s(self, timeout_s: float, span: Span) -> float:
        """The unit's time to think, and on a line the time that both frames take to travel."""
        return timeout_s + (read_seconds(self._line, span) if self._line else 0.0)

    async def _wait_for_silence(self) -> None:
        """On a line: the gap between frames, and the answer to whoever else was heard."""
        if self._line is None:
            return
        if self._strayed:
            await self._fall_quiet(_STRAY_QUIET_S)
            self._strayed = False
        left_s = silence_seconds(self._line) - self._clock.now().since(self._used)
        if left_s > 0:
            await self._clock.sleep(left_s)

    async def _fall_quiet(self, quiet_s: float) -> None:
        """On a line: wait until nothing has come for so long (bounded)."""
        if self._line is None:  # answers on TCP carry the id of their request
            if self._muddled or self._client.ctx.recv_buffer:
                self._client.close()
            return
        for _ in range(_MAX_QUIET_ROUNDS):
            heard = self._heard
            await self._clock.sleep(min(quiet_s, _MAX_QUIET_S))
            if self._heard == heard:
                return

    async def _listen(self, began: Stamp, listen_s: float) -> float | None:
        """On a line: after how long an answer came that is overdue; None where none did."""
        while self._line and not self._late and self._clock.now().since(began) < listen_s:
            await self._clock.sleep(_MAX_QUIET_S)
        return self._late.since(began) if self._late else None

    def _trace(self, sending: bool, data: bytes) -> bytes:
        if sending and self._line is not None:
            self._used = self._clock.now()
            self._request = data
        return data

    def _guard(self, context: Any) -> None:
        """Let bytes that cannot be decoded fail the read under way, not the event loop."""
        decode = context.callback_data

        def guarded(data: bytes, addr: tuple[Any, ...] | None = None) -> int:
            try:
                if not is_clean(data, context.request_transaction_id):
                    raise ModbusException("bytes that are no frame")
                return int(decode(data, addr))
            except _UNDECODABLE as error:
                self._muddled = True
                if not context.response_future.done():
                    context.response_future.set_exception(ModbusException(str(error)))
                return len(data)

        def searched(data: bytes, addr: tuple[Any, ...] | None = None) -> int:
            _ = addr
            return self._search(context, data)

        context.callback_data = guarded if self._line is None else searched
        if self._line is not None:
            context.max_buffer_size = MAX_HEARD

    def _search(self, context: Any, data: bytes) -> int:
        """Take what was heard on a line; gives how much of it is done with."""
        self._heard += 1
        self._used = self._clock.now()
        if not self._request:
            self._strayed = True
            if self._overdue and search(self._overdue, data, echoes=self._echoes).answer:
                self._late = self._used
            return len(data)
        found = search(self._request, data, echoes=self._echoes)
        self._echoes = self._echoes or found.echoed
        if not found.answer:
            self._disturbed = not self._request.startswith(data)  # more than an echo
            return 0
        self._request = b""
        if not context.response_future.done():
            if found.foreign:
                context.response_future.set_exception(ModbusException("somebody else asks too"))
            else:
                context.response_future.set_result(_decoded(context, found.answer))
        return len(data)


def _decoded(context: Any, frame: bytes) -> ModbusPDU:
    answer: ModbusPDU = context.framer.decoder.decode(frame[1:-2])
    answer.dev_id = frame[0]
    return answer


async def _read(client: _Client, unit: int, span: Span) -> ModbusPDU:
    if span.function == DISCRETE_INPUTS:
        return await client.read_discrete_inputs(span.address, count=span.count, device_id=unit)
    if span.function == 3:
        return await client.read_holding_registers(span.address, count=span.count, device_id=unit)
    return await client.read_input_registers(span.address, count=span.count, device_id=unit)


def _heed_cancellation() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _fitting(answer: ModbusPDU, unit: int, span: Span) -> list[int] | None:
    """The values of an answer if unit, function code and length are those asked for."""
    if answer.dev_id != unit or answer.function_code != span.function:
        return None
    if span.function == DISCRETE_INPUTS:
        if len(answer.bits) != 8 * span.answer_bytes:
            return None
        return [int(bit) for bit in answer.bits[: span.count]]
    return list(answer.registers) if len(answer.registers) == span.count else None


def _words(span: Span) -> str:
    what = "discrete inputs" if span.function == DISCRETE_INPUTS else "registers"
    return f"{span.count} {what} from {span.address:#06x}"
