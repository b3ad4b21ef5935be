"""The plant simulator: genuine Sparkplug edge nodes and a MES over MQTT, from a seeded scenario, with a ledger."""
