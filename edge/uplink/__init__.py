"""The way to the province: one MQTT session, two lanes, orders and receipts."""
