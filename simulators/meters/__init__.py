"""Power meters, contacts and a lamp on real Modbus lines: `MeterServer`, `RtuMeterServer`."""
