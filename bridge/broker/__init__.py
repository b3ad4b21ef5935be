"""Links to an MQTT broker: one protocol, paho-mqtt and in memory."""
